/** The requests of operations. They are strict: an unknown field is an error. */
import { z } from 'zod';
import { taskEditSchema } from '../events/task-edits.ts';
import { UNKNOWN_FIELDS } from '../expectation.ts';
import { digits, id, title } from '../fields.ts';
import { EDIT_FIELDS, FIXED_FIELDS, FOLLOW_UP_FIELDS, REQUEST_FIELDS } from '../task-fields.ts';
import { DEAD_STATES, LOG_STREAMS, OUTPUT_TYPES } from '../tasks.ts';
import { waitSchema } from './jobs.ts';

/** A long text, such as a description. */
export const taskTextSchema = z.string().max(400_000);
const text = taskTextSchema;
const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .normalize('NFC')
  // An actor is `user:NAME` or `agent:ID` in the log, and names are shown without the part before the colon.
  .regex(/^[^:\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u, 'must be a name without colons and control characters');
const comment = z.string().trim().min(1).max(100_000);
/** A page of a list: `after` is the `next` of the page before. */
const page = {
  limit: digits(1, 1_000).default(100),
  after: digits(0).default(0),
};

const hasTaker = (task: { agent?: string | undefined; type?: string | undefined }): boolean =>
  task.agent !== undefined || task.type !== undefined;
const takerNeeded = {
  message: 'give "agent" for one agent, or "type" for any agent with this capability',
  path: ['agent'],
};

/** A task to create when this one is done. */
export interface FollowUp extends z.infer<z.ZodObject<typeof FOLLOW_UP_FIELDS>> {
  readonly follow_ups?: FollowUp[] | undefined;
}
export const followUpSchema: z.ZodType<FollowUp> = z.lazy(() =>
  z
    .strictObject({ ...FOLLOW_UP_FIELDS, follow_ups: z.array(followUpSchema).max(20).optional() })
    .refine(hasTaker, takerNeeded),
);

export const createTaskSchema = z
  .strictObject({
    ...REQUEST_FIELDS,
    follow_ups: z.array(followUpSchema).min(1).max(20).optional(),
  })
  .refine(hasTaker, takerNeeded)
  .refine((task) => task.delay_seconds === undefined || task.not_before === undefined, {
    message: 'give either "delay_seconds" or "not_before"',
    path: ['delay_seconds'],
  });
export type CreateTask = z.infer<typeof createTaskSchema>;

export const statusReportSchema = z.strictObject({
  status: z.enum(['working', 'review', 'failed', 'blocked']),
  agent: id.optional(),
  detail: z.string().max(20_000).optional(),
});
export type StatusReport = z.infer<typeof statusReportSchema>;

export const heartbeatSchema = statusReportSchema.omit({ status: true });
export type Heartbeat = z.infer<typeof heartbeatSchema>;

export const addOutputSchema = z
  .strictObject({
    agent: id.optional(),
    type: z.enum(OUTPUT_TYPES),
    title,
    content: text.optional(),
    content_path: z.string().min(1).max(4_096).optional(),
    summary: z.string().max(20_000).optional(),
  })
  .refine((output) => (output.content === undefined) !== (output.content_path === undefined), {
    message: 'give either "content" or "content_path"',
    path: ['content'],
  });
export type AddOutput = z.infer<typeof addOutputSchema>;

export const addCommentSchema = z.strictObject({
  author: name.optional(),
  body: comment,
});
export type AddComment = z.infer<typeof addCommentSchema>;

/** A rejection needs a comment; other decisions may have one. */
export const decisionSchema = z.strictObject({
  by: name.optional(),
  comment: comment.optional(),
});
export type Decision = z.infer<typeof decisionSchema>;

/** For what needs no reason: only who asks for it. */
export const attributionSchema = decisionSchema.pick({ by: true });
export type Attribution = z.infer<typeof attributionSchema>;

/** A message of a user to the agent of a task. */
export const steerSchema = attributionSchema.extend({ text: z.string().trim().min(1).max(20_000) });
export type Steer = z.output<typeof steerSchema>;

/** Changes of a task that waits. null removes a value, and of the labels only those that are named change. */
export const editTaskSchema = decisionSchema
  .extend(taskEditSchema.shape)
  .refine(({ by, comment, ...fields }) => Object.values(fields).some((value) => value !== undefined), {
    message: `give a field to change: ${Object.keys(EDIT_FIELDS).join(', ')}`,
    path: [],
  });
export type EditTask = z.output<typeof editTaskSchema>;
UNKNOWN_FIELDS.add(editTaskSchema, {
  messageOf: (name) =>
    FIXED_FIELDS.includes(name)
      ? 'cannot be changed once the task is created: create a changed copy instead'
      : undefined,
});

/** A cancellation, with the tasks below it if that is wanted. */
export const cancellationSchema = decisionSchema.extend({ children: z.literal(true).optional() });
export type Cancellation = z.output<typeof cancellationSchema>;

/** More time for a running attempt. */
export const extensionSchema = attributionSchema.extend({ seconds: z.number().positive().max(31_536_000) });
export type Extension = z.output<typeof extensionSchema>;

export const rejectionSchema = decisionSchema.required({ comment: true });
export type Rejection = z.infer<typeof rejectionSchema>;

/** Content to erase from the log: exactly one thing, and the reason. */
export const redactSchema = z
  .strictObject({
    by: name.optional(),
    reason: z.string().trim().min(1).max(2_000),
    /** What the creator wrote: title, description, parameters, must-haves, labels, also of the follow-ups. */
    description: z.literal(true).optional(),
    /** The number of an output, 1 for the first. */
    output: z.int().min(1).optional(),
    /** The number of a comment, in the order in which they are shown; comments of decisions count too. */
    comment: z.int().min(1).optional(),
    /** The number of an attempt: the record of its end, and its files. */
    attempt: z.int().min(1).optional(),
    /** The sequence of any event of the task. */
    event: z.int().min(1).optional(),
  })
  .refine(
    ({ description, output, comment, attempt, event }) =>
      [description, output, comment, attempt, event].filter((each) => each !== undefined).length === 1,
    {
      message: 'give exactly one of "description", "output", "comment", "attempt" and "event"',
      path: [],
    },
  );
export type Redact = z.infer<typeof redactSchema>;

/** Parts of a task that are read only on demand. */
export const EXPANSIONS = ['outputs', 'comments', 'attempts', 'events'] as const;
export type Expansion = (typeof EXPANSIONS)[number];

export const readTaskSchema = z.strictObject({
  expand: z
    .string()
    .default('')
    .describe('outputs, comments, attempts, events, with commas between; or all.')
    .transform((text, { addIssue }): ReadonlySet<Expansion> => {
      const names = text.split(',').filter((name) => name !== '');
      if (names.includes('all')) return new Set(EXPANSIONS);
      const unknown = names.find((name) => !EXPANSIONS.some((each) => each === name));
      if (unknown !== undefined)
        addIssue(`${JSON.stringify(unknown)} is not one of ${EXPANSIONS.join(', ')}, all`);
      return new Set(EXPANSIONS.filter((each) => names.includes(each)));
    }),
  wait: waitSchema,
});

export const listTasksSchema = z.strictObject({
  status: z.string().optional().describe('One status or several, separated by commas.'),
  state: z.string().optional().describe('The same as `status`.'),
  agent: id.optional().describe('The agent of its newest attempt, or the one that it is for.'),
  type: id.optional(),
  parent: id.optional(),
  label: z
    .string()
    .regex(/^[^=]{1,100}=.{0,500}$/s, 'expected NAME=VALUE')
    .optional()
    .describe('A label, as NAME=VALUE.'),
  q: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .optional()
    .describe(
      'Words that all occur in its id, title, description, labels, type, agent or outputs; case does not matter.',
    ),
  ...page,
});
export type ListTasks = z.infer<typeof listTasksSchema>;

/** Hashing more at once would delay other requests. */
export const readStateSchema = z.strictObject({
  limit: digits(1, 1_000).default(1_000),
  after: digits(0).default(0),
});
export type ReadState = z.infer<typeof readStateSchema>;

export const followEventsSchema = z.strictObject({
  project: id.optional(),
  task: id.optional(),
  type: z
    .string()
    .regex(/^[a-z_.]+\*?(,[a-z_.]+\*?)*$/, 'expected types as in "task.created,attempt.*"')
    .max(1_000)
    .optional()
    .describe('Types, separated by commas; "task.*" for all types with this prefix.'),
  after: digits(0)
    .optional()
    .describe('Start after this sequence; 0 for the whole log. Default: start with new events.'),
});

export type FollowEvents = z.infer<typeof followEventsSchema>;

export const followBoardSchema = z.strictObject({
  project: id.optional(),
});

export const readBoardSchema = followBoardSchema.extend({
  at: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'The board as it was at a sequence (1234), at a time (2025-01-31T14:03:00Z), or some time ago ("10m ago").',
    ),
});

export type ReadBoard = z.infer<typeof readBoardSchema>;

/** A part of the output of an attempt's process. */
export const readLogSchema = z.strictObject({
  stream: z.enum(LOG_STREAMS).default('stdout'),
  /** Offset in the kept log, in bytes. */
  offset: digits(0).default(0),
});
export type ReadLog = z.infer<typeof readLogSchema>;

export const listRejectedSchema = z.strictObject({
  agent: id.optional(),
  limit: digits(1, 1_000).default(100),
});

const deadLetterFilter = { project: id.optional(), agent: id.optional() };
const deadStates = z.enum(DEAD_STATES);

export const listDeadLettersSchema = z.strictObject({
  ...deadLetterFilter,
  status: deadStates.optional(),
  state: deadStates.optional().describe('The same as `status`.'),
  ...page,
});
export type ListDeadLetters = z.infer<typeof listDeadLettersSchema>;

/** Redrives in one answer. Continue with `after`. */
const REDRIVES = 1_000;

export const redriveSchema = decisionSchema
  .extend({
    ...deadLetterFilter,
    status: deadStates.optional(),
    /** The same as `status`. */
    state: deadStates.optional(),
    ids: z.array(id).min(1).max(REDRIVES).optional(),
    /** Confirms that a missing filter is intended. */
    all: z.literal(true).optional(),
    dry_run: z.boolean().default(false),
    limit: z.int().min(1).max(REDRIVES).default(REDRIVES),
    after: z.int().min(0).default(0),
  })
  .refine(({ ids, project }) => ids === undefined || project !== undefined, {
    message: 'give the project of these ids',
    path: ['project'],
  })
  .refine(
    ({ ids, project, agent, status, state, all }) =>
      [ids, project, agent, status, state, all].some((each) => each !== undefined),
    { message: 'give "ids", "project", "agent", "status", or "all": true', path: [] },
  );
export type Redrive = z.infer<typeof redriveSchema>;
