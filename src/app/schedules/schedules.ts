/** Schedules: creating, reading and steering them. */
import type { ScheduleRun, ScheduleView } from '../../../projections/index.ts';
import { canonicalJson } from '../../base/canonical-json.ts';
import { beginOfDay, endOfDay } from '../../base/periods.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import type {
  Backfill,
  BackfillAnswer,
  CreateSchedule,
  ScheduleAnswer,
  ScheduleConfig,
} from '../../contracts/api/schedules.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { BACKGROUND_PROJECT } from '../../contracts/ids.ts';
import { MAX_BUFFERED, type Recurrence, type ScheduleSpec } from '../../contracts/schedules.ts';
import { keyedTaskId } from '../../engine/runtime/task-ids.ts';
import { taskOf } from '../../engine/runtime/views.ts';
import { firingKey, nextTime, nextTimes } from '../../engine/supervisor/schedules/recurrence.ts';
import type { ScheduleEvent } from '../../engine/supervisor/schedules/schedule-keeper.ts';
import { type AppContext, deciderOf, recall } from '../context.ts';
import { timeOf } from '../tasks/task-json.ts';
import { followUpOf } from '../tasks/task-spec.ts';

const NEXT_SHOWN = 10;

export function listSchedules(app: AppContext): ScheduleAnswer[] {
  return [...app.state.projections.schedules.byId.values()]
    .filter(({ state }) => state !== 'removed')
    .map((schedule) => scheduleJson(app, schedule));
}

/** @throws SignalboxError `schedule_not_found` */
export function readSchedule(app: AppContext, id: string): ScheduleAnswer {
  return scheduleJson(app, viewOf(app, id));
}

/**
 * The same request again changes nothing.
 * @throws SignalboxError `schedule_exists` for another one with this id, `agent_not_found`, and as a commit does
 */
export async function createSchedule(
  app: AppContext,
  { id, ...config }: CreateSchedule,
  actor: string,
): Promise<ScheduleAnswer> {
  const spec = specOf(app, config);
  const now = app.environment.clock.now();
  const known = app.state.projections.schedules.byId.get(id);
  if (known && known.state !== 'removed') {
    if (isEqual(known.spec, spec)) return scheduleJson(app, known);
    throw new SignalboxError(
      'schedule_exists',
      `there is a schedule ${id} already, with different content: use another id, or remove it first`,
      { details: { schedule: id } },
    );
  }
  if (nextTime(spec, now) === null) {
    throw new SignalboxError('invalid_request', `at: ${config.at} has passed: name a time in the future`);
  }
  return commit(
    app,
    { type: 'schedule.created', schedule: id, spec, source: 'request', from_ms: now },
    actor,
  );
}

/** The states in which something can be decided; what is not named can be in every one. */
const POSSIBLE: Partial<Record<ScheduleDecision, readonly string[]>> = {
  pause: ['active'],
  resume: ['paused'],
  trigger: ['active', 'paused'],
};

function assertPossible(id: string, state: string, decision: ScheduleDecision): void {
  const states = POSSIBLE[decision];
  if (states === undefined || states.includes(state)) return;
  throw new SignalboxError(
    'illegal_transition',
    `schedule ${id} is ${state}: ${decision} is for a schedule that is ${states.join(' or ')}`,
    { details: { entity: 'schedule', id, state } },
  );
}

const DECISIONS = { pause: 'schedule.paused', remove: 'schedule.removed' } as const;
export type ScheduleDecision = keyof typeof DECISIONS | 'resume' | 'trigger';

/** @throws SignalboxError `schedule_not_found`, `illegal_transition`, and as a commit does */
export async function decideSchedule(
  app: AppContext,
  id: string,
  decision: ScheduleDecision,
  request: Decision,
  caller: string,
): Promise<ScheduleAnswer> {
  const { spec, state } = viewOf(app, id);
  assertPossible(id, state, decision);
  const actor = deciderOf(request, caller);
  const now = app.environment.clock.now();
  const { comment: reason } = request;
  switch (decision) {
    case 'resume':
      return commit(app, { type: 'schedule.resumed', schedule: id, from_ms: now, reason }, actor);
    case 'trigger': {
      const task_id = keyedTaskId(spec.project, firingKey(id, now));
      return commit(
        app,
        { type: 'schedule.fired', schedule: id, nominal_ms: now, cause: 'trigger', task_id },
        actor,
      );
    }
    default:
      return commit(app, { type: DECISIONS[decision], schedule: id, reason }, actor);
  }
}

/**
 * Makes up for past times: they wait, and are run one after the other (at once with the overlap policy `allow_all`).
 * Times that have a task already are left out.
 * @throws SignalboxError `schedule_not_found`, `invalid_request`, and as a commit does
 */
export async function backfillSchedule(
  app: AppContext,
  id: string,
  { from, until }: Backfill,
  actor: string,
): Promise<BackfillAnswer> {
  const { spec } = viewOf(app, id);
  const range = rangeOf(spec, from, until, app.environment.clock.now());
  const times = nextTimes(spec, range.from - 1, MAX_BUFFERED + 1).filter((each) => each <= range.until);
  if (times.length > MAX_BUFFERED) {
    throw new SignalboxError(
      'invalid_request',
      `the range has more than ${MAX_BUFFERED} times: backfill a shorter range first`,
    );
  }
  const waiting = app.state.host.get('schedule', id)?.context.buffer ?? [];
  const added: number[] = [];
  for (const nominal of times) {
    if (!waiting.includes(nominal) && !(await hasTask(app, spec, id, nominal))) added.push(nominal);
  }
  const event = { type: 'schedule.buffered', schedule: id, nominals_ms: added } as const;
  const schedule = added.length === 0 ? readSchedule(app, id) : await commit(app, event, actor);
  return { schedule, added: added.length, known: times.length - added.length };
}

/** @returns both included; nothing that has not come yet. @throws SignalboxError `invalid_request` */
function rangeOf({ zone }: ScheduleSpec, from: string, until: string, now: number) {
  const isDay = (text: string): boolean => !text.includes('T');
  const first = isDay(from) ? beginOfDay(from, zone) : Date.parse(from);
  const last = isDay(until) ? endOfDay(until, zone) - 1 : Date.parse(until);
  if (last < first) throw new SignalboxError('invalid_request', `until: ${until} is before "from", ${from}`);
  if (first > now) throw new SignalboxError('invalid_request', `from: ${from} has not come yet`);
  return { from: first, until: Math.min(last, now) };
}

/** Brings the schedules of the configuration into the log: new and changed ones, and those that are gone. */
export async function registerSchedules(
  app: AppContext,
  configured: Readonly<Record<string, ScheduleConfig>>,
): Promise<void> {
  const { byId } = app.state.projections.schedules;
  for (const [id, config] of Object.entries(configured)) {
    const spec = specOf(app, config);
    const known = byId.get(id);
    const isKnown = known && known.state !== 'removed' && known.source === 'configuration';
    if (isKnown && isEqual(known.spec, spec)) continue;
    const from_ms = app.environment.clock.now();
    await app.log.commit(
      { type: 'schedule.created', schedule: id, spec, source: 'configuration', from_ms },
      { actor: 'supervisor' },
    );
  }
  for (const { id, source, state } of [...byId.values()]) {
    if (source !== 'configuration' || state === 'removed' || Object.hasOwn(configured, id)) continue;
    const reason = 'removed from the configuration';
    await app.log.commit({ type: 'schedule.removed', schedule: id, reason }, { actor: 'supervisor' });
  }
}

async function commit(app: AppContext, event: ScheduleEvent, actor: string): Promise<ScheduleAnswer> {
  app.log.assertWritable();
  await app.log.commit(event, { actor });
  const view = app.state.projections.schedules.byId.get(event.schedule);
  return scheduleJson(app, view ?? viewOf(app, event.schedule));
}

function viewOf(app: AppContext, id: string): ScheduleView {
  const { byId } = app.state.projections.schedules;
  const view = byId.get(id);
  if (view && view.state !== 'removed') return view;
  const known = [...byId.values()].filter(({ state }) => state !== 'removed').map((each) => each.id);
  throw new SignalboxError(
    'schedule_not_found',
    `there is no schedule ${id}; there are: ${known.slice(0, 20).join(', ') || 'none'}`,
    { details: { schedule: id } },
  );
}

async function hasTask(app: AppContext, spec: ScheduleSpec, id: string, nominal: number): Promise<boolean> {
  const ref = { project: spec.project, task: keyedTaskId(spec.project, firingKey(id, nominal)) };
  return taskOf(app.state.projections, ref) !== undefined || (await recall(app, ref)) !== null;
}

/** @throws SignalboxError `agent_not_found`, `forbidden` */
function specOf(app: AppContext, config: ScheduleConfig): ScheduleSpec {
  if (config.project === BACKGROUND_PROJECT) {
    throw new SignalboxError('forbidden', `project ${BACKGROUND_PROJECT} is for background commands only`);
  }
  return {
    project: config.project,
    recurrence: recurrenceOf(config),
    zone: config.zone,
    jitter_ms: Math.round(config.jitter_seconds * 1_000),
    overlap: config.overlap,
    catch_up: config.catch_up,
    catch_up_window_ms: Math.round(config.catch_up_window_seconds * 1_000),
    pause_on_failure: config.pause_on_failure,
    task: followUpOf(app, config.task),
  };
}

function recurrenceOf({ cron, every_seconds, at }: ScheduleConfig): Recurrence {
  if (cron !== undefined) return { kind: 'cron', cron };
  if (at !== undefined) return { kind: 'at', at_ms: Date.parse(at) };
  return { kind: 'every', every_ms: Math.round((every_seconds ?? 0) * 1_000) };
}

/** Absent fields and those without a value are the same. */
function isEqual(a: ScheduleSpec, b: ScheduleSpec): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function scheduleJson(app: AppContext, schedule: ScheduleView): ScheduleAnswer {
  const { id, spec, state, source, reason, by, runs, counts } = schedule;
  const { recurrence, task } = spec;
  const context = app.state.host.get('schedule', id)?.context;
  const next = state === 'active' ? nextTimes(spec, context?.handledUntil ?? 0, NEXT_SHOWN) : [];
  return {
    id,
    project: spec.project,
    status: state,
    source,
    cron: recurrence.kind === 'cron' ? recurrence.cron : null,
    every_seconds: recurrence.kind === 'every' ? recurrence.every_ms / 1_000 : null,
    at: recurrence.kind === 'at' ? timeOf(recurrence.at_ms) : null,
    zone: spec.zone,
    jitter_seconds: spec.jitter_ms / 1_000,
    overlap: spec.overlap,
    catch_up: spec.catch_up,
    catch_up_window_seconds: spec.catch_up_window_ms / 1_000,
    pause_on_failure: spec.pause_on_failure,
    title: task.title,
    agent: task.agent ?? null,
    type: task.type ?? null,
    reason,
    by: by === 'supervisor' ? null : by,
    next: next.map((each) => timeOf(each)),
    waiting: (context?.buffer ?? []).map((each) => timeOf(each)),
    runs: [...runs].reverse().map((run) => runJson(app, spec.project, run)),
    counts,
  };
}

function runJson(app: AppContext, project: string, run: ScheduleRun): ScheduleAnswer['runs'][number] {
  return {
    nominal_time: timeOf(run.nominal),
    cause: run.cause,
    task: run.task,
    task_status: taskOf(app.state.projections, { project, task: run.task })?.state ?? null,
    fired_at: timeOf(run.firedAt),
  };
}
