/** The board as the dashboard shows it: one small card a task, of now or of a moment of the past. */
import { z } from 'zod';
import { TASK_STATES } from '../tasks.ts';
import { agentAnswerSchema, eventAnswerSchema } from './answers.ts';

const time = z.iso.datetime();
const count = z.int().min(0);

export const boardCardSchema = z.strictObject({
  project: z.string(),
  id: z.string(),
  title: z.string(),
  status: z.enum(TASK_STATES),
  type: z.string().nullable(),
  priority: z.int(),
  /** The agent of the newest attempt, or the one that it is for. */
  agent: z.string().nullable(),
  /** Number of the newest attempt; 0 before the first. */
  attempt: count,
  max_attempts: z.int(),
  /** Of the open attempt: `requested`, `running`, `suspected`, `stopping`; null where none is open. */
  attempt_status: z.string().nullable(),
  /** When the open attempt is stopped. */
  deadline: time.nullable(),
  /** `manual`, `auto`, or the agent that reviews. */
  review: z.string(),
  /** What was last said of it: its reason where it went wrong, else its progress. Shortened. */
  note: z.string().nullable(),
  due_at: time.nullable(),
  outputs: count,
  comments: count,
  created_at: time,
  updated_at: time,
  finished_at: time.nullable(),
  /** Place in the log of the last event that changed the task. */
  sequence: z.int().min(1),
});
export type BoardCard = z.output<typeof boardCardSchema>;

const countsSchema = z.record(z.enum(TASK_STATES), count);

/** Settled tasks on a board, of each state: the newest. */
export const SETTLED_CARDS = 300;
/** Characters of a note. */
export const NOTE_LENGTH = 240;

export const boardSchema = z.strictObject({
  /** All of it is as it was after this event; 0 where there is none. */
  sequence: count,
  /** When that event happened; null where there is none. */
  time: time.nullable(),
  /** Tasks in each state, those without a card included. */
  counts: countsSchema,
  /** Every task that is not settled, and of the settled ones the newest of each state. */
  cards: z.array(boardCardSchema),
  agents: z.array(agentAnswerSchema),
  /** Of the past: the event after which it was so. */
  event: eventAnswerSchema.optional(),
});
export type BoardAnswer = z.output<typeof boardSchema>;

/** What has changed since the board, or the change, that came before. */
export const boardChangeSchema = z.strictObject({
  sequence: count,
  counts: countsSchema,
  cards: z.array(boardCardSchema),
  /** All of them where one has changed; absent where none has. */
  agents: z.array(agentAnswerSchema).optional(),
});
export type BoardChange = z.output<typeof boardChangeSchema>;
