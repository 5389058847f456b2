/**
 * The fields of a task: one row for each, from which the request, the follow-ups, the stored form, the answer, the facts
 * of a prompt, the job of a worker, the redacted form and the labels of the dashboard and the command line derive.
 * Long because the rows and what derives from them are read together.
 */
import { z } from 'zod';
import { backoffSchema, budgetSchema, prioritySchema } from './config-values.ts';
import { REDACTED } from './events/event.ts';
import { id, time, title } from './fields.ts';

/** How the value of a field is shown. */
export type FactKind = 'text' | 'time' | 'seconds' | 'agent' | 'tasks' | 'list' | 'json' | 'pairs';

interface Field {
  /** In the body of `POST …/tasks`. */
  readonly request?: z.ZodType;
  /** In a follow-up of a request. */
  readonly followUp?: z.ZodType;
  /** In an edit of a task that waits; null removes the value. A field without it cannot be changed. */
  readonly edit?: z.ZodType;
  /** Whether it is about this task alone: which one it is, when it is to run, what it hangs together with. Copies do not have it. */
  readonly isOwn?: true;
  /** Whether an edit changes only those of its entries that it names. */
  readonly isMerged?: true;
  /** In the log. A time is stored in epoch milliseconds, and its name ends with `_ms`. */
  readonly stored?: z.ZodType;
  readonly isTime?: true;
  /** In answers. */
  readonly answer?: z.ZodType;
  /** The answer for a field that was not given. Default: null. */
  readonly none?: unknown;
  /** What is left of a text after a redaction: a marker, or nothing. */
  readonly redacted?: 'marked' | 'dropped';
  /** Whether prompt builders get it; with a label in each language if the built-in prompt shows it. */
  readonly prompt?: true | { readonly en: string; readonly zh: string };
  /** In the job of a remote worker: its name and schema. */
  readonly job?: { readonly name: string; readonly schema: z.ZodType };
  /** The label on the dashboard and the command line. */
  readonly label?: string;
  readonly shown?: FactKind;
}

const text = z.string().max(400_000);
const link = z
  .url({ protocol: /^https?$/, error: 'expected an address that begins with http:// or https://' })
  .max(2_000);
const seconds = z.number().positive().max(31_536_000);
const requestTime = z.iso.datetime({ offset: true });
const record = z.record(z.string(), z.unknown());
const action = z.string().min(1).max(200);
const requirements = z.array(z.string().min(1).max(2_000)).max(100);
const links = z.array(link).max(20);
const labelName = z.string().max(100).normalize('NFC');
const labelValue = z.string().max(500).normalize('NFC');
const positive = z.number().positive();
const attempts = z.int().min(1).max(100);

/** May be left out of the request, and then has no value. */
function optional<Given extends z.ZodType, Stored extends z.ZodType>(given: Given, stored: Stored) {
  return {
    request: given.optional(),
    followUp: given.optional(),
    stored: stored.optional(),
    answer: stored.nullable(),
  };
}

/** May be left out of the request, and then has a default of the configuration. */
function withDefault<Given extends z.ZodType, Stored extends z.ZodType>(given: Given, stored: Stored) {
  return { request: given.optional(), followUp: given.optional(), stored, answer: stored };
}

/** In the order in which they are shown. */
export const TASK_FIELDS = {
  title: {
    request: title,
    followUp: title,
    edit: title,
    stored: z.string(),
    answer: z.string(),
    redacted: 'marked',
    prompt: true,
    job: { name: 'title', schema: z.string() },
  },
  description: {
    request: text.default(''),
    followUp: text.default(''),
    edit: text,
    stored: z.string(),
    answer: z.string(),
    redacted: 'marked',
    prompt: true,
    job: { name: 'description', schema: z.string() },
  },
  agent: { ...optional(id, id), edit: id.nullable() },
  type: { ...optional(id, z.string()), edit: id.nullable(), prompt: true, label: 'Type' },
  action: {
    ...optional(action, z.string()),
    edit: action.nullable(),
    prompt: { en: 'Action', zh: '动作' },
    label: 'Action',
  },
  params: {
    ...optional(record, record),
    edit: record.nullable(),
    redacted: 'dropped',
    prompt: { en: 'Parameters', zh: '参数' },
    label: 'Parameters',
    shown: 'json',
  },
  must_haves: {
    ...optional(requirements, z.array(z.string())),
    edit: requirements.nullable(),
    answer: z.array(z.string()),
    none: [],
    redacted: 'dropped',
    prompt: { en: 'The result must have', zh: '结果必须包含' },
    job: { name: 'mustHaves', schema: z.array(z.string()).default([]) },
    label: 'Must have',
    shown: 'list',
  },
  priority: {
    ...withDefault(prioritySchema, z.int().min(1).max(10)),
    edit: prioritySchema,
    job: { name: 'priority', schema: z.int().min(1).max(10) },
    label: 'Priority',
  },
  max_attempts: withDefault(attempts, attempts),
  backoff: withDefault(backoffSchema.partial(), backoffSchema),
  /** `manual`, `auto`, or the agent that reviews. */
  review: { ...withDefault(id, z.string()), edit: id, label: 'Review' },
  /** Answers have it as `outputs_required`: there, `outputs` are the outputs themselves. */
  outputs: {
    request: z.enum(['required', 'optional']).default('required'),
    followUp: z.enum(['required', 'optional']).default('required'),
    stored: z.enum(['required', 'optional']),
  },
  timeout_seconds: {
    ...optional(seconds, positive),
    edit: seconds.nullable(),
    label: 'Timeout',
    shown: 'seconds',
  },
  silence_timeout_seconds: {
    ...optional(seconds, positive),
    edit: seconds.nullable(),
    label: 'Silence timeout',
    shown: 'seconds',
  },
  budget: { ...optional(budgetSchema, budgetSchema), label: 'Budget', shown: 'pairs' },
  delay_seconds: {
    request: z.number().min(0).max(31_536_000).optional(),
    followUp: z.number().min(0).max(31_536_000).optional(),
  },
  not_before: {
    request: requestTime.optional(),
    isOwn: true,
    stored: z.int().optional(),
    answer: time.nullable(),
    isTime: true,
    label: 'Not before',
    shown: 'time',
  },
  expires_at: {
    request: requestTime.optional(),
    isOwn: true,
    edit: requestTime.nullable(),
    stored: z.int().optional(),
    answer: time.nullable(),
    isTime: true,
    label: 'Expires',
    shown: 'time',
  },
  id: { request: id.optional() },
  idempotency_key: {
    request: z.string().min(1).max(200).normalize('NFC').optional(),
    stored: z.string().optional(),
    answer: z.string().nullable(),
    isOwn: true,
    label: 'Idempotency key',
  },
  source: { ...optional(z.string().max(200), z.string()), isOwn: true, redacted: 'dropped', label: 'Source' },
  labels: {
    ...optional(z.record(labelName, labelValue), z.record(z.string(), z.string())),
    /** Only the labels that it names change; null removes one. */
    isMerged: true,
    edit: z.record(labelName, labelValue.nullable()),
    answer: z.record(z.string(), z.string()),
    none: {},
    redacted: 'dropped',
    prompt: true,
    label: 'Labels',
    shown: 'pairs',
  },
  /** Addresses of what the task is about, such as an issue or a pull request. */
  links: {
    ...optional(links, z.array(z.string())),
    edit: links.nullable(),
    answer: z.array(z.string()),
    none: [],
    redacted: 'dropped',
    prompt: { en: 'Links', zh: '链接' },
    label: 'Links',
    shown: 'list',
  },
  parent: {
    request: id.optional(),
    stored: id.optional(),
    answer: id.nullable(),
    isOwn: true,
    label: 'Parent',
    shown: 'tasks',
  },
  /** Whether it is done only when its children are settled. */
  join: { request: z.boolean().optional(), stored: z.boolean().optional(), answer: z.boolean(), none: false },
  depends_on: {
    request: z.array(id).min(1).max(1_000).optional(),
    stored: z.array(id).optional(),
    answer: z.array(id),
    none: [],
    isOwn: true,
    label: 'Depends on',
    shown: 'tasks',
  },
  /** The attempt of another task that this one reviews: set by Signalbox if `review` names an agent. */
  reviews: {
    stored: z.strictObject({ task: id, attempt: z.int().min(1) }).optional(),
    answer: z.strictObject({ task: id, attempt: z.int().min(1) }).nullable(),
  },
  /** The question of another task that this one answers: set by Signalbox if `answered_by` names an agent. */
  answers: {
    stored: z.strictObject({ task: id, question: id }).optional(),
    answer: z.strictObject({ task: id, question: id }).nullable(),
  },
  /** The schedule that created it, and the time that it stands for (stored in epoch milliseconds). */
  schedule: {
    stored: z.strictObject({ id: z.string(), nominal_ms: z.int() }).optional(),
    answer: z.strictObject({ id: z.string(), nominal_ms: z.int() }).nullable(),
  },
} as const satisfies Readonly<Record<string, Field>>;

export type Fields = typeof TASK_FIELDS;
export type SchemaIn<Row, Part extends string> = Row extends {
  readonly [P in Part]: infer Schema extends z.ZodType;
}
  ? Schema
  : never;
export type NameIn<Name, Part extends string> = Name extends keyof Fields
  ? SchemaIn<Fields[Name], Part> extends never
    ? never
    : Part extends 'stored'
      ? Fields[Name] extends { readonly isTime: true }
        ? `${Name}_ms`
        : Name
      : Name
  : never;
type Shape<Part extends string> = {
  [Name in keyof Fields as NameIn<Name, Part>]: SchemaIn<Fields[Name], Part>;
};

const ROWS = Object.entries<Field>(TASK_FIELDS).map(([name, row]) => ({
  name,
  storedName: row.isTime ? `${name}_ms` : name,
  ...row,
}));

type Row = (typeof ROWS)[number];
type Entry = readonly [name: string, value: unknown];

/**
 * An object with an entry for each row that has one. The compiler cannot follow a loop over the table, so the type of the
 * object is the caller's to name, by the same table.
 */
export function byRow<Named>(entryOf: (row: Row) => Entry | null): Named {
  // A loop: every answer of a task is made here.
  const object: Record<string, unknown> = {};
  for (const row of ROWS) {
    const entry = entryOf(row);
    if (entry !== null) object[entry[0]] = entry[1];
  }
  return object as Named;
}

function shapeOf<Part extends 'request' | 'followUp' | 'edit' | 'stored' | 'answer'>(
  part: Part,
): Shape<Part> {
  return byRow(({ name, storedName, [part]: schema }) =>
    schema === undefined ? null : [part === 'stored' ? storedName : name, schema],
  );
}

export const REQUEST_FIELDS = shapeOf('request');
export const FOLLOW_UP_FIELDS = shapeOf('followUp');
export const EDIT_FIELDS = shapeOf('edit');
export const STORED_FIELDS = shapeOf('stored');
export const ANSWER_FIELDS = shapeOf('answer');

export type Stored = z.output<z.ZodObject<typeof STORED_FIELDS>>;
export type AnswerFields = z.output<z.ZodObject<typeof ANSWER_FIELDS>>;
export type NamesWith<Part extends string> = {
  [Name in keyof Fields]: Fields[Name] extends { readonly [P in Part]: unknown } ? Name : never;
}[keyof Fields];

/** The fields of a stored task as answers have them. */
export function answerFieldsOf(stored: Stored): AnswerFields {
  const values: Readonly<Record<string, unknown>> = stored;
  return byRow(({ name, storedName, answer, isTime, none = null }) => {
    if (answer === undefined) return null;
    const value = values[storedName] ?? none;
    return [name, isTime && typeof value === 'number' ? new Date(value).toISOString() : value];
  });
}

/** Replaces what the creator of a task wrote. When, by whom and how often it is done stays. */
export const REDACTED_FIELDS: Partial<Stored> & Pick<Stored, 'title' | 'description'> = {
  ...byRow<Partial<Stored>>(({ name, redacted }) => (redacted === 'dropped' ? [name, undefined] : null)),
  title: REDACTED,
  description: REDACTED,
};

export type PromptFields = Pick<AnswerFields, NamesWith<'prompt'> & keyof AnswerFields>;

/** The fields that prompt builders get. */
export function promptFieldsOf(stored: Stored): PromptFields {
  const answer: Readonly<Record<string, unknown>> = answerFieldsOf(stored);
  return byRow(({ name, prompt }) => (prompt === undefined ? null : [name, answer[name]]));
}

/** The fields that the built-in prompt shows below the description, if they have a value. */
export const PROMPT_LABELS = ROWS.flatMap(({ name, prompt }) =>
  typeof prompt === 'object' ? [{ name, ...prompt }] : [],
);

type JobShape = {
  [Name in NamesWith<'job'> as Fields[Name]['job']['name']]: Fields[Name]['job']['schema'];
};

/** The fields of a task in the job of a remote worker, under their names there. */
export const JOB_FIELDS = byRow<JobShape>(({ job }) => (job === undefined ? null : [job.name, job.schema]));
type JobValues = z.output<z.ZodObject<JobShape>>;

export function jobFieldsOf(stored: Stored): JobValues {
  const answer: Readonly<Record<string, unknown>> = answerFieldsOf(stored);
  return byRow(({ name, job }) => (job === undefined ? null : [job.name, answer[name]]));
}

/** The reverse of `jobFieldsOf`. */
export function storedFieldsOf(job: JobValues): Pick<Stored, NamesWith<'job'> & keyof Stored> {
  const values: Readonly<Record<string, unknown>> = job;
  return byRow(({ storedName, job: field }) =>
    field === undefined ? null : [storedName, values[field.name]],
  );
}

/** The fields of a request that no edit changes. */
export const FIXED_FIELDS: readonly string[] = ROWS.flatMap(({ name, request, edit }) =>
  request !== undefined && edit === undefined ? [name] : [],
);

/** The fields of a request that a copy of the task has, too; `outputs` and follow-ups have other names in answers. */
export const COPIED_FIELDS: readonly string[] = ROWS.flatMap(({ name, request, answer, isOwn }) =>
  request !== undefined && answer !== undefined && isOwn === undefined ? [name] : [],
);

/** The label of each field that is shown, and how, in order. */
export const FIELD_LABELS = ROWS.flatMap(({ name, label, shown = 'text' }) =>
  label === undefined ? [] : [{ name, label, shown }],
);
