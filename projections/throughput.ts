/**
 * What was done in each minute of the last day: how many tasks and attempts, and how long they waited and ran.
 *
 * P1 An event counts in the minute in which it was decided. The day ends with the newest minute that has anything:
 *    what is older is gone, and an event that comes with an older time (another machine's clock) is not counted.
 * P2 Memory is bounded by the projects that were busy in each of these minutes, and by the tasks that wait or run.
 */
import { unreachable } from '../src/contracts/errors.ts';
import type { StoredRecord, Transition } from '../src/contracts/events/events.ts';
import type { TaskState } from '../src/contracts/tasks.ts';
import { type Histogram, merge, note } from './histogram.ts';
import type { KeptProjection } from './projection.ts';

export const MINUTE_MS = 60_000;
/** Minutes that are kept. */
export const MINUTES = 1_440;

const COUNTED = ['created', 'started', 'completed', 'failed', 'retried', 'cancelled'] as const;

/** Of one minute. */
export interface Figures {
  /** Tasks. */
  created: number;
  /** Attempts. */
  started: number;
  /** Tasks that came to be done. */
  completed: number;
  /** Tasks that failed for good, or expired. */
  failed: number;
  /** Tasks that are to be tried again: after an attempt that came to nothing, a rejection, or by a redrive. */
  retried: number;
  cancelled: number;
  /** Milliseconds from when a task could run to the start of its attempt; of the attempts that started. */
  readonly waiting: Histogram;
  /** Milliseconds from its start to its end; of the attempts that ended. */
  readonly running: Histogram;
}

type Places = readonly (readonly [number, number])[];
type ProjectJson = readonly [string, readonly number[], Places, Places];
type MinuteJson = readonly [number, readonly ProjectJson[]];

interface Minute {
  /** Since the epoch. */
  readonly minute: number;
  readonly projects: Map<string, Figures>;
  /** Made when it is asked for: most minutes change no more. */
  json: MinuteJson | null;
}

export interface Throughput {
  /** The newest minute that has anything; 0 before the first. */
  newest: number;
  /** A ring: each minute at its remainder. What stands in a place may be older than a day. */
  readonly ring: (Minute | undefined)[];
  /** Since when each task that is pending or claimed could run, in epoch milliseconds, by `project/task`. */
  readonly pending: Map<string, number>;
  /** The start of each attempt that runs, by its task. */
  readonly running: Map<string, number>;
}

export const throughput: KeptProjection<Throughput> = {
  name: 'throughput',
  version: 1,
  initial: () => ({ newest: 0, ring: emptyRing(), pending: new Map(), running: new Map() }),
  evolve(state, record) {
    // Of all that an event moves the task comes first (`recipientsOf`).
    const moved = record.transitions[0];
    if (moved?.entity === 'task') change(state, record, moved);
  },
  toJSON: ({ newest, ring, pending, running }) => ({
    newest,
    minutes: inOrder(newest, ring).map(jsonOf),
    pending: [...pending],
    running: [...running],
  }),
  // Who is settled, and whose attempts have ended, is in no table.
  forget: () => {},
  restore: (json) => {
    const { newest, minutes, pending, running } = json as ThroughputJson;
    const ring = emptyRing();
    for (const each of minutes) ring[each[0] % MINUTES] = minuteOf(each);
    return { newest, ring, pending: new Map(pending), running: new Map(running) };
  },
};

interface ThroughputJson {
  readonly newest: number;
  readonly minutes: readonly MinuteJson[];
  readonly pending: readonly (readonly [string, number])[];
  readonly running: readonly (readonly [string, number])[];
}

/**
 * The figures of a minute; null where there are none.
 * @param minute since the epoch
 * @param project of this one; of all together where it is absent
 */
export function figuresOf({ newest, ring }: Throughput, minute: number, project?: string): Figures | null {
  const there = minute > newest - MINUTES ? ring[minute % MINUTES] : undefined;
  if (there?.minute !== minute) return null;
  if (project !== undefined) return there.projects.get(project) ?? null;
  const sum = noFigures();
  for (const figures of there.projects.values()) {
    for (const what of COUNTED) sum[what] += figures[what];
    merge(sum.waiting, figures.waiting);
    merge(sum.running, figures.running);
  }
  return sum;
}

function change(state: Throughput, { event, time }: StoredRecord, moved: Transition): void {
  switch (event.type) {
    case 'task.created':
      figuresAt(state, event.project, time).created++;
      return move(state, event.project, time, moved, false);
    case 'attempt.started': {
      const figures = figuresAt(state, event.project, time);
      figures.started++;
      note(figures.waiting, time - (state.pending.get(moved.id) ?? time));
      state.running.set(moved.id, time);
      return move(state, event.project, time, moved, false);
    }
    case 'attempt.ended': {
      const startedAt = state.running.get(moved.id);
      if (startedAt !== undefined) {
        note(figuresAt(state, event.project, time).running, time - startedAt);
        state.running.delete(moved.id);
      }
      return move(state, event.project, time, moved, true);
    }
    case 'task.failure_reported':
    case 'task.rejected':
    case 'task.redriven':
      return move(state, event.project, time, moved, true);
    case 'task.claimed':
    case 'task.due':
    case 'task.dependency_met':
    case 'task.submitted':
    case 'task.blocked':
    case 'task.unblocked':
    case 'task.approved':
    case 'task.cancelled':
    case 'task.expired':
      return move(state, event.project, time, moved, false);
    case 'task.progress_reported':
    case 'task.output_added':
    case 'task.comment_added':
    case 'task.redacted':
    case 'attempt.suspected':
    case 'attempt.recovered':
    case 'attempt.stop_requested':
    case 'attempt.message_rejected':
    case 'agent.registered':
    case 'agent.paused':
    case 'agent.drained':
    case 'agent.resumed':
    case 'agent.parked':
    case 'agent.probed':
    case 'agent.unparked':
    case 'agent.connected':
    case 'agent.disconnected':
    case 'agent.retired':
    case 'queue.paused':
    case 'queue.resumed':
    case 'supervisor.started':
    case 'supervisor.draining':
    case 'supervisor.stopped':
    case 'supervisor.key_introduced':
    case 'supervisor.checkpointed':
      return;
    default:
      return unreachable(event, 'throughput');
  }
}

/** @param isRetry whether the way back into a queue means that it is to be tried again */
function move(
  state: Throughput,
  project: string,
  time: number,
  { id, from, to }: Transition,
  isRetry: boolean,
): void {
  if (from === to) return;
  if (to === 'pending') state.pending.set(id, time);
  else if (to !== 'claimed' && (from === 'pending' || from === 'claimed')) state.pending.delete(id);
  const what = meaningOf(to as TaskState, isRetry);
  if (what !== null) figuresAt(state, project, time)[what]++;
}

function meaningOf(state: TaskState, isRetry: boolean): (typeof COUNTED)[number] | null {
  switch (state) {
    case 'scheduled':
    case 'pending':
      return isRetry ? 'retried' : null;
    case 'done':
      return 'completed';
    case 'failed':
    case 'expired':
      return 'failed';
    case 'cancelled':
      return 'cancelled';
    case 'claimed':
    case 'working':
    case 'review':
    case 'blocked':
      return null;
    default:
      return unreachable(state, 'throughput');
  }
}

/** Those that an event of this time counts in; of no account where it is too old (P1). */
function figuresAt(state: Throughput, project: string, time: number): Figures {
  const minute = Math.floor(time / MINUTE_MS);
  if (minute <= state.newest - MINUTES) return noFigures();
  if (minute > state.newest) state.newest = minute;
  const place = minute % MINUTES;
  let there = state.ring[place];
  if (there?.minute !== minute) {
    there = { minute, projects: new Map(), json: null };
    state.ring[place] = there;
  }
  there.json = null;
  let figures = there.projects.get(project);
  if (figures === undefined) {
    figures = noFigures();
    there.projects.set(project, figures);
  }
  return figures;
}

function noFigures(): Figures {
  return {
    created: 0,
    started: 0,
    completed: 0,
    failed: 0,
    retried: 0,
    cancelled: 0,
    waiting: new Map(),
    running: new Map(),
  };
}

function emptyRing(): (Minute | undefined)[] {
  return new Array<Minute | undefined>(MINUTES).fill(undefined);
}

/** The minutes of the last day that have anything, the oldest first. */
function inOrder(newest: number, ring: Throughput['ring']): Minute[] {
  return ring
    .filter((each) => each !== undefined)
    .filter(({ minute }) => minute > newest - MINUTES)
    .sort((a, b) => a.minute - b.minute);
}

function jsonOf(there: Minute): MinuteJson {
  const placesOf = (histogram: Histogram): Places => [...histogram].sort(([a], [b]) => a - b);
  there.json ??= [
    there.minute,
    [...there.projects].map(([project, figures]): ProjectJson => {
      const counts = COUNTED.map((what) => figures[what]);
      return [project, counts, placesOf(figures.waiting), placesOf(figures.running)];
    }),
  ];
  return there.json;
}

function minuteOf([minute, projects]: MinuteJson): Minute {
  const table = new Map<string, Figures>();
  for (const [project, counts, waiting, running] of projects) {
    const figures = { ...noFigures(), waiting: new Map(waiting), running: new Map(running) };
    for (const [index, what] of COUNTED.entries()) figures[what] = counts[index] ?? 0;
    table.set(project, figures);
  }
  return { minute, projects: table, json: null };
}
