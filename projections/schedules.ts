/** The schedules, with their newest runs. */
import type { DomainEvent, TypeAbout } from '../src/contracts/events/events.ts';
import type { FiringCause, ScheduleSpec } from '../src/contracts/schedules.ts';
import { entityProjection } from './entities.ts';
import { type Draft, type Handlers, type PastProjection, personOf } from './projection.ts';

/** A task that a schedule has created, or is about to create. */
export interface ScheduleRun {
  /** Epoch milliseconds. */
  readonly nominal: number;
  readonly cause: FiringCause;
  readonly task: string;
  readonly firedAt: number;
  readonly isCreated: boolean;
}

export interface ScheduleView {
  readonly id: string;
  readonly spec: ScheduleSpec;
  readonly source: 'configuration' | 'request';
  /** `active`, `paused`, `finished`, `removed`. */
  readonly state: string;
  readonly since: number;
  /** Why, and by whom it is paused; null if it is not, or if no reason was given. */
  readonly reason: string | null;
  readonly by: string | null;
  /** Oldest first: the newest, and every one whose task is not created yet. */
  readonly runs: readonly ScheduleRun[];
  readonly counts: Readonly<Record<'fired' | 'skipped' | 'missed', number>>;
}

export interface Schedules {
  /** In the order in which they were first created. */
  readonly byId: Map<string, ScheduleView>;
}

const KEPT_RUNS = 20;

type ScheduleDraft = Draft<ScheduleView>;

const HANDLERS: Handlers<TypeAbout<'schedule'>, ScheduleDraft> = {
  'schedule.created': (next, { spec, source }) => {
    next.spec = spec;
    next.source = source;
  },
  'schedule.fired': (next, { nominal_ms: nominal, cause, task_id: task }, { time: firedAt }) => {
    next.runs = trimmed([...next.runs, { nominal, cause, task, firedAt, isCreated: false }]);
    count(next, 'fired');
  },
  'schedule.skipped': (next) => count(next, 'skipped'),
  'schedule.missed': (next) => count(next, 'missed'),
  'schedule.buffered': () => {},
  'schedule.paused': (next, { reason = null }, { actor }) => {
    next.reason = reason;
    next.by = personOf(actor);
  },
  'schedule.resumed': clear,
  'schedule.finished': clear,
  'schedule.removed': clear,
};
export const schedules: PastProjection<Schedules> = entityProjection({
  name: 'schedules',
  version: 1,
  entity: 'schedule',
  handlers: HANDLERS,
  first: firstOf,
  onOther: (state, event) => {
    if (event.type === 'task.created' && event.spec.schedule !== undefined)
      onCreated(state, event.spec.schedule.id, event.task);
  },
});

function firstOf(event: DomainEvent, id: string): ScheduleDraft | null {
  if (event.type !== 'schedule.created') return null;
  return {
    id,
    spec: event.spec,
    source: 'request',
    state: 'active',
    since: 0,
    reason: null,
    by: null,
    runs: [],
    counts: { fired: 0, skipped: 0, missed: 0 },
  };
}

function onCreated({ byId }: Schedules, id: string, task: string): void {
  const schedule = byId.get(id);
  if (!schedule?.runs.some((run) => run.task === task && !run.isCreated)) return;
  const runs = schedule.runs.map((run) => (run.task === task ? { ...run, isCreated: true } : run));
  byId.set(id, { ...schedule, runs: trimmed(runs) });
}

function trimmed(runs: readonly ScheduleRun[]): readonly ScheduleRun[] {
  return runs.filter((run, index) => !run.isCreated || index >= runs.length - KEPT_RUNS);
}

function count(next: ScheduleDraft, what: keyof ScheduleView['counts']): void {
  next.counts = { ...next.counts, [what]: next.counts[what] + 1 };
}

function clear(next: ScheduleDraft): void {
  next.reason = null;
  next.by = null;
}
