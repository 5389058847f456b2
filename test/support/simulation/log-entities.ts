/** Tasks and attempts of the model of the log (log-model.ts). */
import type { TaskSpec } from '../../../src/contracts/tasks.ts';

export interface TaskModel {
  readonly project: string;
  readonly id: string;
  /** Sequence of its creation. */
  readonly created: number;
  spec: TaskSpec;
  /** Created when its parent was in review already: it may be too late to be waited for. */
  readonly isLate: boolean;
  state: string;
  version: number;
  attempts: number;
  /** Those that count: all but the ones that met a used-up quota. */
  used: number;
  granted: number;
  open: number | null;
  dueAt: number | null;
  redriven: boolean;
  waitingFor: Set<string>;
  /** Questions that were asked: true while they are open. */
  readonly questions: Map<string, boolean>;
  /** Whether it was cancelled with everything below it. */
  cancelsChildren: boolean;
  /** Whether some of its texts were erased. */
  isRedacted: boolean;
  /** The commit of its newest diff, and the one that was merged last. */
  diff: string | null;
  merged: string | null;
  /** Whether its workspace is removed by name. */
  discards: boolean;
}

export interface AttemptModel {
  readonly agent: string;
  started: boolean;
  /** Whether its start was recorded with its claim. */
  isStartedByClaim: boolean;
  /** Sequence of its claim. */
  readonly claimed: number;
  ended: boolean;
  /** When it was suspected; null if it is not. */
  suspectedAt: number | null;
  stopping: boolean;
  /** Until when it may run, and may be silent. */
  deadline: number;
  silentUntil: number;
  /** The epoch of the supervisor in which it became clear that it was to be stopped; null if it is not. */
  unwantedSince: number | null;
  rejected: number;
  /** Whether it did not count before it ended. */
  givenBack: boolean;
  /** Its questions that are not answered. */
  readonly questions: Set<string>;
  /** Whether one of them is open, and it asks for the answer as far as is known. */
  waits: boolean;
}

/** Where it waits: `agent:<id>` or `type:<name>`. */
export function queueOf({ spec: { agent, type } }: TaskModel): string {
  return agent === undefined ? `type:${type}` : `agent:${agent}`;
}

export class Violation extends Error {
  override readonly name = 'Violation';
}

export function newTask(
  first: Pick<TaskModel, 'project' | 'id' | 'created' | 'spec' | 'isLate' | 'waitingFor'>,
): TaskModel {
  return {
    ...first,
    state: '',
    version: 0,
    attempts: 0,
    used: 0,
    granted: first.spec.max_attempts,
    open: null,
    dueAt: first.spec.not_before_ms ?? null,
    redriven: false,
    questions: new Map(),
    cancelsChildren: false,
    isRedacted: false,
    diff: null,
    merged: null,
    discards: false,
  };
}

export function newAttempt(agent: string, claimed: number): AttemptModel {
  return {
    agent,
    claimed,
    started: false,
    isStartedByClaim: false,
    ended: false,
    suspectedAt: null,
    stopping: false,
    deadline: Infinity,
    silentUntil: 0,
    unwantedSince: null,
    rejected: 0,
    givenBack: false,
    questions: new Set(),
    waits: false,
  };
}

/** @throws Violation */
export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Violation(otherwise);
}
