/** What Signalbox answers to the question why a task is not running, or not done. */
import { z } from 'zod';
import { TASK_STATES } from '../tasks.ts';

export const WAIT_KINDS = [
  /** For the time that its creator gave. */
  'time',
  /** For the pause before a retry. */
  'retry',
  /** For another task. */
  'dependency',
  'agent_busy',
  /** Its agent takes no tasks: paused, or draining. */
  'agent_paused',
  /** Its agent has failed too often; or is being tried with one attempt. */
  'agent_parked',
  'agent_offline',
  /** Nobody is there who could do it. */
  'no_agent',
  'project_limit',
  'global_limit',
  /** Nothing of its queue is handed out. */
  'queue_paused',
  /** For tasks that go first. */
  'queue',
  /** For somebody who looks at the result. */
  'review',
  /** For tasks below it, which it joins. */
  'children',
  /** For a person to decide. */
  'person',
  /** For the event log. */
  'log',
  /** Signalbox is shutting down. */
  'draining',
  /** For an attempt that is open. */
  'running',
] as const;
export type WaitKind = (typeof WAIT_KINDS)[number];

const count = z.int().min(0);

export const waitAnswerSchema = z.strictObject({
  kind: z.enum(WAIT_KINDS),
  /** In words. */
  detail: z.string(),
  /** When this reason is over by itself; absent where nobody knows. */
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
  /** At least one for every task that waits; none for a task that is settled. */
  waits_for: z.array(waitAnswerSchema),
  /** What happens next, and by whom. */
  next: z.string(),
  /** Its place among the pending tasks of its project that the same agents take; null where it is not pending. */
  queue: z
    .strictObject({
      /** 1 for the task that is next. */
      position: z.int().min(1),
      length: z.int().min(1),
      /** Pending tasks of other projects that the same agents take; the projects take turns. */
      of_other_projects: count,
    })
    .nullable(),
});
export type WhyAnswer = z.output<typeof whyAnswerSchema>;
