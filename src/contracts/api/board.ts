/** The board as the dashboard shows it: a small card for each task, as it is now or was in the past. */
import { z } from 'zod';
import { count, time } from '../fields.ts';
import { TASK_STATES } from '../tasks.ts';
import { agentAnswerSchema, eventAnswerSchema } from './answers.ts';
import { budgetNoticeSchema } from './usage/budgets.ts';

export const boardCardSchema = z.strictObject({
  project: z.string(),
  id: z.string(),
  title: z.string(),
  status: z.enum(TASK_STATES),
  type: z.string().nullable(),
  priority: z.int(),
  /** The agent of the newest attempt, or the one that the task is for. */
  agent: z.string().nullable(),
  /** Number of the newest attempt; 0 before the first. */
  attempt: count,
  /** How many attempts count towards `max_attempts`, the open one included. */
  attempts_used: count,
  max_attempts: z.int(),
  /** Of the open attempt: `requested`, `running`, `suspected`, `waiting`, `stopping`; null if none is open. */
  attempt_status: z.string().nullable(),
  /** When the open attempt times out. */
  deadline: time.nullable(),
  /** `manual`, `auto`, or the agent that reviews. */
  review: z.string(),
  /** The result that waits for a review, the reason if something went wrong, else the progress. Shortened. */
  note: z.string().nullable(),
  /** What the note is; null if there is none. */
  note_kind: z.enum(['result', 'reason', 'progress']).nullable(),
  due_at: time.nullable(),
  /** Questions of its agent that are not answered. */
  open_questions: count,
  /** What its ended attempts have cost, as far as it is known; null if nothing is known. */
  cost_usd: z.number().min(0).nullable(),
  /** Ended attempts whose cost is not known. If not 0, the task has cost at least `cost_usd`. */
  attempts_without_cost: count,
  outputs: count,
  comments: count,
  created_at: time,
  updated_at: time,
  finished_at: time.nullable(),
  /** Sequence of the last event that changed the task. */
  sequence: z.int().min(1),
});
export type BoardCard = z.output<typeof boardCardSchema>;

const countsSchema = z.record(z.enum(TASK_STATES), count);

/** How many settled tasks of each status a board has: the newest. */
export const SETTLED_CARDS = 300;
/** Characters of a note. */
export const NOTE_LENGTH = 240;

export const boardSchema = z.strictObject({
  /** The event after which the board was this; 0 if there is none. */
  sequence: count,
  /** The time of that event, or null. */
  time: time.nullable(),
  /** Number of tasks in each status, including those without a card. */
  counts: countsSchema,
  /** Every task that is not settled, and the newest settled ones of each status. */
  cards: z.array(boardCardSchema),
  agents: z.array(agentAnswerSchema),
  /** The budgets that have warned or are used up. */
  budgets: z.array(budgetNoticeSchema),
  /** For a past board: the event after which it was this. */
  event: eventAnswerSchema.optional(),
});
export type BoardAnswer = z.output<typeof boardSchema>;

/** What has changed since the previous board or change. */
export const boardChangeSchema = z.strictObject({
  sequence: count,
  counts: countsSchema,
  cards: z.array(boardCardSchema),
  /** All agents if one has changed; absent if none has. */
  agents: z.array(agentAnswerSchema).optional(),
  /** The same for budgets. */
  budgets: z.array(budgetNoticeSchema).optional(),
});
export type BoardChange = z.output<typeof boardChangeSchema>;
