/** The answer to why a task is not running, or not done. */
import { z } from 'zod';
import { count } from '../fields.ts';
import { TASK_STATES } from '../tasks.ts';

export const WAIT_KINDS = [
  /** For the time that its creator set. */
  'time',
  /** For the pause before a retry. */
  'retry',
  /** For another task. */
  'dependency',
  'agent_busy',
  /** Its agent is paused or draining. */
  'agent_paused',
  /** Its agent failed too often, or is being tried with one attempt. */
  'agent_parked',
  'agent_offline',
  /** No agent can do it. */
  'no_agent',
  'project_limit',
  'global_limit',
  /** Its agent, its project or everything has used up a budget for a period. */
  'budget',
  /** Its queue is paused. */
  'queue_paused',
  /** For tasks before it. */
  'queue',
  /** For a review of the result. */
  'review',
  /** For its children, which it joins. */
  'children',
  /** For the answer to a question of its agent. */
  'answer',
  /** For a decision by a person. */
  'person',
  /** For the event log. */
  'log',
  /** Signalbox is shutting down. */
  'draining',
  /** For an open attempt. */
  'running',
] as const;
export type WaitKind = (typeof WAIT_KINDS)[number];

export const waitAnswerSchema = z.strictObject({
  kind: z.enum(WAIT_KINDS),
  /** One clause. */
  detail: z.string(),
  /** When this reason ends by itself; absent if that is unknown. */
  until: z.iso.datetime().optional(),
  agent: z.string().optional(),
  attempt: z.int().min(1).optional(),
  /** Other tasks of the project that it waits for. */
  tasks: z.array(z.string()).optional(),
});
export type WaitAnswer = z.output<typeof waitAnswerSchema>;

export const whyAnswerSchema = z.strictObject({
  project: z.string(),
  id: z.string(),
  status: z.enum(TASK_STATES),
  /** One sentence. */
  summary: z.string(),
  /** At least one reason if the task waits; none if it is settled. */
  waits_for: z.array(waitAnswerSchema),
  /** Why it has this status, such as the error of its last attempt; null if there is nothing to say. */
  reason: z.string().nullable(),
  /** What happens next. */
  next: z.string(),
  /** Its place among the pending tasks of its project in the same queue; null if it is not pending. */
  queue: z
    .strictObject({
      /** 1 for the task that is next. */
      position: z.int().min(1),
      length: z.int().min(1),
      /** Pending tasks of other projects in the same queue. Projects take turns. */
      of_other_projects: count,
    })
    .nullable(),
});
export type WhyAnswer = z.output<typeof whyAnswerSchema>;
