/** The vocabulary of questions: what an agent asks, the answers, and the rules that decide about permissions. */
import { z } from 'zod';
import { REDACTED } from './events/event.ts';

export const QUESTION_KINDS = ['permission', 'choice', 'text', 'form', 'link'] as const;
export const OPTION_KINDS = ['allow_once', 'allow_always', 'reject_once', 'reject_always'] as const;

/** How a question ended. A declined question has no content; an expired one has what applies by default. */
export const ANSWER_ACTIONS = ['accepted', 'declined', 'cancelled', 'expired'] as const;
export type AnswerAction = (typeof ANSWER_ACTIONS)[number];

/** Bytes of a question as JSON. Larger content belongs into an output. */
export const MAX_QUESTION_BYTES = 256 * 1_024;
/** The same for an answer. */
export const MAX_ANSWER_BYTES = 64 * 1_024;
/** Open questions of one attempt. */
export const MAX_OPEN_QUESTIONS = 20;
/** Questions of one task, answered ones included: an agent must not fill the log. */
export const MAX_QUESTIONS = 2_000;
/** Bytes of all questions of one task as JSON: they stay in memory as long as the task does. */
export const MAX_QUESTIONS_BYTES = 16 * 1_024 * 1_024;

/** The comment of an answer with which an agent withdraws its question. */
export const NO_LONGER_WAITS = 'the agent no longer waits for an answer';

/** Messages of users to the agent of a task that are not delivered. */
export const MAX_MESSAGES = 50;

export const questionOptionSchema = z.strictObject({
  id: z.string().min(1).max(100),
  label: z.string().min(1),
  kind: z.enum(OPTION_KINDS).optional(),
});
export type QuestionOption = z.output<typeof questionOptionSchema>;

/** What a permission is for. */
export const questionAboutSchema = z.strictObject({
  tool: z.string().min(1).max(200).optional(),
  input: z.unknown().optional(),
  diff: z.string().optional(),
  path: z.string().optional(),
});
export type QuestionAbout = z.output<typeof questionAboutSchema>;

const choices = z.array(z.string()).min(1).max(200);
/** Keywords of JSON Schema that say nothing about which answers fit. */
const notes = {
  title: z.string().optional(),
  description: z.string().optional(),
  $schema: z.string().optional(),
  $comment: z.string().optional(),
  examples: z.array(z.unknown()).optional(),
  deprecated: z.boolean().optional(),
};

/**
 * An object of a schema. A keyword that is not checked in answers is refused, not dropped: an answer that Signalbox accepts
 * must fit the schema as its agent wrote it.
 */
function keywords<Shape extends z.ZodRawShape>(
  what: string,
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape).filter((name) => !Object.hasOwn(notes, name));
  const error: z.core.$ZodErrorMap = ({ code }) =>
    code === 'unrecognized_keys'
      ? `is not supported in ${what}: use ${known.join(', ')}, and for people ${Object.keys(notes).join(', ')}`
      : undefined;
  return z.strictObject(shape, { error });
}

const choice = keywords('a choice', { ...notes, const: z.string(), title: z.string() });

/** A field of a form, as in the elicitation of MCP. */
export const formFieldSchema = z.discriminatedUnion('type', [
  keywords('a field of text', {
    type: z.literal('string'),
    ...notes,
    enum: choices.optional(),
    enumNames: z.array(z.string()).optional(),
    oneOf: z.array(choice).min(1).max(200).optional(),
    minLength: z.int().min(0).optional(),
    maxLength: z.int().min(0).optional(),
    format: z.enum(['email', 'uri', 'date', 'date-time']).optional(),
    default: z.string().optional(),
  }),
  keywords('a field with a number', {
    type: z.enum(['number', 'integer']),
    ...notes,
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    default: z.number().optional(),
  }),
  keywords('a field that is true or false', {
    type: z.literal('boolean'),
    ...notes,
    default: z.boolean().optional(),
  }),
  keywords('a field with a list', {
    type: z.literal('array'),
    ...notes,
    items: keywords('the items of a list', {
      ...notes,
      type: z.literal('string').optional(),
      enum: choices,
      enumNames: z.array(z.string()).optional(),
    }),
    minItems: z.int().min(0).optional(),
    maxItems: z.int().min(0).optional(),
    default: z.array(z.string()).optional(),
  }),
]);
export type FormField = z.output<typeof formFieldSchema>;

const MAX_FIELDS = 50;

/** A flat JSON Schema. An answer has no other fields than those of the form, whatever `additionalProperties` says. */
export const formSchema = keywords('a form', {
  ...notes,
  type: z.literal('object'),
  properties: z
    .record(z.string().min(1).max(100), formFieldSchema)
    .refine((fields) => Object.keys(fields).length <= MAX_FIELDS, `at most ${MAX_FIELDS} fields`),
  required: z.array(z.string()).max(MAX_FIELDS).optional(),
  additionalProperties: z.boolean().optional(),
});
export type Form = z.output<typeof formSchema>;

const contentValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
/** The values of a form; for a question of kind `text`, the text is in `text`. */
export const answerContentSchema = z.record(z.string(), contentValue);
export type AnswerContent = z.output<typeof answerContentSchema>;

/** A question as it is stored. */
export const questionSpecSchema = z.strictObject({
  kind: z.enum(QUESTION_KINDS),
  message: z.string().min(1),
  about: questionAboutSchema.optional(),
  options: z.array(questionOptionSchema).optional(),
  schema: formSchema.optional(),
  /** The address to open, for a question of kind `link`. */
  url: z.string().optional(),
  /** Epoch milliseconds. */
  expires_at_ms: z.int().optional(),
  /** What applies when it expires; if absent, it is then declined. */
  default: z
    .strictObject({ option: z.string().optional(), content: answerContentSchema.optional() })
    .optional(),
  /** Whether the attempt is parked at once: its process ends, and the answer starts the next attempt. */
  park: z.boolean().optional(),
  /** SHA-256 (hex) of the secret in its answer link. */
  link_sha256: z.string().optional(),
});
export type QuestionSpec = z.output<typeof questionSpecSchema>;

export const PERMISSION_DECISIONS = ['allow', 'deny', 'ask'] as const;
export type PermissionDecision = (typeof PERMISSION_DECISIONS)[number];

/** A rule of the configuration. `tool` and `input` are globs, in which `*` stands for any text. */
export const permissionRuleSchema = z.strictObject({
  tool: z.string().min(1),
  input: z.string().optional(),
  decision: z.enum(PERMISSION_DECISIONS),
});
export type PermissionRule = z.output<typeof permissionRuleSchema>;

export interface PermissionPolicy {
  readonly default: PermissionDecision;
  /** The first that matches decides. */
  readonly rules: readonly PermissionRule[];
}

/** Where a recorded rule holds: for this task only, or for all tasks of the agent. */
export const RULE_SCOPES = ['task', 'agent'] as const;

/** A rule that an answer recorded (`allow_always`, `reject_always`). */
export const recordedRuleSchema = z.strictObject({
  id: z.string(),
  scope: z.enum(RULE_SCOPES),
  agent: z.string(),
  tool: z.string(),
  /** A glob; if absent, any input. */
  input: z.string().optional(),
  decision: z.enum(['allow', 'deny']),
});
export type RecordedRule = z.output<typeof recordedRuleSchema>;

/** An answer as it is stored. */
export interface AnswerSpec {
  readonly action: AnswerAction;
  readonly option?: string | undefined;
  readonly content?: AnswerContent | undefined;
  readonly comment?: string | undefined;
}

/** A question without what its agent wrote. Ids, times and kinds stay. */
export function redactedQuestion({ about, schema, url, ...spec }: QuestionSpec): QuestionSpec {
  return {
    ...spec,
    message: REDACTED,
    ...(spec.options && { options: spec.options.map((option) => ({ ...option, label: REDACTED })) }),
    ...(spec.default && { default: { option: spec.default.option } }),
  };
}

const DECISIVE_FIELDS: ReadonlySet<string> = new Set([
  'command',
  'cmd',
  'script',
  'path',
  'paths',
  'filepath',
  'notebookpath',
  'file',
  'filename',
  'url',
  'uri',
]);

/**
 * Whether a field of a tool's input decides what happens: its command, its paths and its addresses, however tools write
 * them (`file_path`, `filePath`), and what turns a protection off (`dangerouslyDisableSandbox`). Rules compare every one
 * that an input has, and a question shows them whole.
 */
export function isDecisive(field: string): boolean {
  const name = field.replace(/[_-]/g, '').toLowerCase();
  return DECISIVE_FIELDS.has(name) || name.startsWith('dangerous');
}

/** The options of a permission that names none. */
export const PERMISSION_OPTIONS: readonly QuestionOption[] = [
  { id: 'allow_once', label: 'Allow once', kind: 'allow_once' },
  { id: 'allow_always', label: 'Always allow', kind: 'allow_always' },
  { id: 'reject_once', label: 'Reject', kind: 'reject_once' },
  { id: 'reject_always', label: 'Always reject', kind: 'reject_always' },
];

export const isAllowing = ({ kind }: QuestionOption): boolean =>
  kind === 'allow_once' || kind === 'allow_always';
export const isRejecting = ({ kind }: QuestionOption): boolean =>
  kind === 'reject_once' || kind === 'reject_always';
export const isLasting = ({ kind }: QuestionOption): boolean =>
  kind === 'allow_always' || kind === 'reject_always';
