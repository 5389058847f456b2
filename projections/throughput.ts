/**
 * What was done in each minute of the last day: how many tasks and attempts, and how long they waited and ran.
 *
 * An event counts in the minute in which it was decided. The day ends with the newest minute that has any: older minutes
 * are gone, and an event with an older time (from the clock of another machine) is not counted. Memory is bounded by the
 * projects that were busy in each of these minutes, and by the tasks that wait or run.
 */
import type { EventType, StoredRecord, Transition } from '../src/contracts/events/events.ts';
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
  /** Tasks that became done. */
  completed: number;
  /** Tasks that failed for good, or expired. */
  failed: number;
  /** Tasks that will be tried again: after a failed attempt, a rejection or a redrive. */
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
  /** Cached: most minutes no longer change. */
  json: MinuteJson | null;
}

export interface Throughput {
  /** The newest minute that has anything; 0 before the first. */
  newest: number;
  /** A ring: each minute at its remainder. An entry may be older than a day. */
  readonly ring: (Minute | undefined)[];
  /** Since when each pending or claimed task could run, in epoch milliseconds, by task key. */
  readonly pending: Map<string, number>;
  /** The start of each running attempt, by task key. */
  readonly running: Map<string, number>;
}

/** Events after which a task that goes back to its queue is tried again. */
const RETRIES: ReadonlySet<EventType> = new Set([
  'attempt.ended',
  'task.failure_reported',
  'task.rejected',
  'task.redriven',
]);

/** The figure that counts the tasks which enter a state. */
const COUNTED_AS: ReadonlyMap<string, (typeof COUNTED)[number]> = new Map<
  TaskState,
  (typeof COUNTED)[number]
>([
  ['done', 'completed'],
  ['failed', 'failed'],
  ['expired', 'failed'],
  ['cancelled', 'cancelled'],
]);

export const throughput: KeptProjection<Throughput> = {
  name: 'throughput',
  version: 1,
  initial: () => ({ newest: 0, ring: emptyRing(), pending: new Map(), running: new Map() }),
  evolve(state, record) {
    // A task is always the first entity that an event moves.
    const moved = record.transitions[0];
    if (moved?.entity === 'task') change(state, record, moved);
  },
  toJSON: ({ newest, ring, pending, running }) => ({
    newest,
    minutes: inOrder(newest, ring).map(jsonOf),
    pending: [...pending],
    running: [...running],
  }),
  // A settled task without an open attempt is in no table.
  forget: () => {},
  restore: (json) => {
    const { newest, minutes, pending, running } = json as ThroughputJson;
    const ring = emptyRing();
    for (const each of minutes) ring[each[0] % MINUTES] = minuteOf(each);
    return { newest, ring, pending: new Map(pending), running: new Map(running) };
  },
  pieces: (state) => [['throughput', '', throughput.toJSON(state)]],
};

interface ThroughputJson {
  readonly newest: number;
  readonly minutes: readonly MinuteJson[];
  readonly pending: readonly (readonly [string, number])[];
  readonly running: readonly (readonly [string, number])[];
}

/**
 * The figures of a minute; null if there are none.
 * @param minute since the epoch
 * @param project of this project; of all projects together if absent
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
  if (!('project' in event)) return;
  const { type, project } = event;
  if (type === 'task.created') figuresAt(state, project, time).created++;
  if (type === 'attempt.started') {
    const figures = figuresAt(state, project, time);
    figures.started++;
    note(figures.waiting, time - (state.pending.get(moved.id) ?? time));
    state.running.set(moved.id, time);
  }
  if (type === 'attempt.ended') {
    const startedAt = state.running.get(moved.id);
    if (startedAt !== undefined) note(figuresAt(state, project, time).running, time - startedAt);
    state.running.delete(moved.id);
  }
  countMove(state, project, time, moved, RETRIES.has(type));
}

/** @param isRetry whether a task that goes back to its queue is tried again */
function countMove(
  state: Throughput,
  project: string,
  time: number,
  { id, from, to }: Transition,
  isRetry: boolean,
): void {
  if (from === to) return;
  if (to === 'pending') state.pending.set(id, time);
  else if (to !== 'claimed' && (from === 'pending' || from === 'claimed')) state.pending.delete(id);
  const isQueued = to === 'scheduled' || to === 'pending';
  const what = isQueued && isRetry ? 'retried' : COUNTED_AS.get(to);
  if (what !== undefined) figuresAt(state, project, time)[what]++;
}

/** The figures in which an event of this time counts; discarded ones if it is too old. */
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

/** The minutes of the last day that have any figures, the oldest first. */
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
