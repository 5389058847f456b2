/**
 * Makes schedules create their tasks.
 *
 * For each schedule it takes one step at a time (it waits for the next time, decides about one that has come, creates a
 * task that is missing), and the stored event of a step leads to the next one. A step follows from the state alone, so
 * the next start goes on where a crash was.
 *
 * Invariant schedules/each-time-once: a time is decided by one event, and its task has an id that follows from the time,
 * so that it is created once, over crashes and take-overs.
 */
import type { ScheduleRun, ScheduleView, TaskView } from '../../../../projections/index.ts';
import { canonicalJson } from '../../../base/canonical-json.ts';
import { sha256 } from '../../../base/hash.ts';
import { cutText } from '../../../base/text/cut-text.ts';
import { wallOf } from '../../../base/time-zone.ts';
import type { DomainEvent } from '../../../contracts/events/events.ts';
import { MAX_TITLE_LENGTH } from '../../../contracts/fields.ts';
import { taskKey } from '../../../contracts/ids.ts';
import { type FiringCause, MAX_BUFFERED, PLACEHOLDERS } from '../../../contracts/schedules.ts';
import { isDeadState, SETTLED_STATES, type TaskSpec } from '../../../contracts/tasks.ts';
import { keyedTaskId } from '../../runtime/task-ids.ts';
import { taskOf } from '../../runtime/views.ts';
import type { SupervisorContext } from '../supervisor-context.ts';
import { firingKey, jitterOf, lastTime, nextTime } from './recurrence.ts';

/** Milliseconds after which a time counts as missed, and the catch-up decides about it. */
const LATE_MS = 60_000;
/** Milliseconds until a task is tried again that the log could not take. */
const AGAIN_MS = 1_000;

export type ScheduleEvent = Extract<DomainEvent, { readonly schedule: string }>;

export class ScheduleKeeper {
  readonly #context: SupervisorContext;
  /** The step of each schedule that is decided and not stored yet. */
  readonly #underway = new Map<string, string>();
  #isEnabled = false;

  constructor(context: SupervisorContext) {
    this.#context = context;
  }

  /** Takes up every schedule. Call it once, at the start. */
  enable(): void {
    this.#isEnabled = true;
    for (const id of [...this.#context.projections.schedules.byId.keys()]) this.#takeUp(id);
  }

  disable(): void {
    this.#isEnabled = false;
  }

  onEvent(event: ScheduleEvent): void {
    const { schedule } = event;
    if (this.#underway.get(schedule) === canonicalJson(event)) this.#underway.delete(schedule);
    this.#takeUp(schedule);
  }

  onSettled({ id, state, spec, reason }: TaskView): void {
    if (spec.schedule === undefined) return;
    const schedule = this.#context.projections.schedules.byId.get(spec.schedule.id);
    if (schedule?.state === 'active' && schedule.spec.pause_on_failure && isDeadState(state)) {
      const why = reason === null ? '' : `: ${reason}`;
      this.#decide({ type: 'schedule.paused', schedule: schedule.id, reason: `task ${id} ${state}${why}` });
    } else this.#takeUp(spec.schedule.id);
  }

  #takeUp(id: string): void {
    const { projections, host, timers } = this.#context;
    const schedule = projections.schedules.byId.get(id);
    if (!this.#isEnabled || !schedule) return;
    timers.cancel(timerKey(id));
    for (const run of schedule.runs) if (!run.isCreated) this.#create(schedule, run);
    if (this.#underway.has(id) || host.get('schedule', id)?.state !== 'active') return;
    this.#step(schedule);
  }

  #step(schedule: ScheduleView): void {
    const { id, spec } = schedule;
    const { environment, timers } = this.#context;
    const { handledUntil, buffer } = this.#stateOf(id);
    const [buffered] = buffer;
    if (buffered !== undefined && (spec.overlap === 'allow_all' || !this.#isBusy(schedule)))
      return this.#fire(schedule, buffered, 'buffer');
    const now = environment.clock.now();
    const next = nextTime(spec, handledUntil);
    if (next === null) {
      if (buffer.length === 0) this.#decide({ type: 'schedule.finished', schedule: id });
      return;
    }
    const due = next + jitterOf(id, spec, next);
    if (due > now) timers.set(timerKey(id), due, () => this.#takeUp(id));
    else if (due > now - LATE_MS) this.#offer(schedule, next, 'time');
    else this.#catchUp(schedule, next, now);
  }

  /** Decides about the first of the times that passed while nothing could be created. */
  #catchUp(schedule: ScheduleView, next: number, now: number): void {
    const { spec } = schedule;
    const begin = now - spec.catch_up_window_ms;
    if (spec.catch_up === 'all') {
      if (next >= begin) this.#offer(schedule, next, 'catch_up');
      else this.#miss(schedule, begin - 1);
      return;
    }
    const { handledUntil } = this.#stateOf(schedule.id);
    const last = lastTime(spec, handledUntil, now) ?? next;
    if (last < begin) this.#miss(schedule, last);
    else if (last > next) this.#miss(schedule, last - 1);
    else this.#offer(schedule, last, 'catch_up');
  }

  #miss({ id, spec }: ScheduleView, until: number): void {
    const { handledUntil } = this.#stateOf(id);
    const window = Math.round(spec.catch_up_window_ms / 1_000);
    const rule = `catch_up: ${spec.catch_up}, catch_up_window_seconds: ${window}`;
    const range = { from_ms: handledUntil, until_ms: until };
    this.#decide({ type: 'schedule.missed', schedule: id, ...range, reason: rule });
  }

  /** Decides about one time whose moment has come. */
  #offer(schedule: ScheduleView, nominal: number, cause: FiringCause): void {
    const { id, spec } = schedule;
    const { buffer } = this.#stateOf(id);
    const limit = spec.overlap === 'buffer_one' ? 1 : MAX_BUFFERED;
    const skip = (reason: string): void =>
      this.#decide({ type: 'schedule.skipped', schedule: id, nominal_ms: nominal, reason });
    if (spec.overlap === 'allow_all' || !this.#isBusy(schedule)) return this.#fire(schedule, nominal, cause);
    switch (spec.overlap) {
      case 'skip':
        return skip('the previous task is not settled');
      case 'buffer_one':
      case 'buffer_all':
        if (buffer.length >= limit) return skip(`${buffer.length} times are already waiting`);
        return this.#decide({ type: 'schedule.buffered', schedule: id, nominals_ms: [nominal] });
      case 'cancel_other':
        this.#cancelOpen(schedule);
        return this.#fire(schedule, nominal, cause);
    }
  }

  #fire({ id, spec }: ScheduleView, nominal: number, cause: FiringCause): void {
    const task_id = keyedTaskId(spec.project, firingKey(id, nominal));
    this.#decide({ type: 'schedule.fired', schedule: id, nominal_ms: nominal, cause, task_id });
  }

  #cancelOpen(schedule: ScheduleView): void {
    for (const { task: id } of schedule.runs) {
      const task = this.#taskOf(schedule, id);
      if (!task || SETTLED_STATES.has(task.state)) continue;
      const ref = { project: task.project, task: id };
      this.#context.decide({ type: 'task.cancelled', ...ref, reason: `schedule ${schedule.id} runs again` });
    }
  }

  /** Whether the task of an earlier time is not settled. */
  #isBusy(schedule: ScheduleView): boolean {
    return schedule.runs.some(({ task: id, isCreated }) => {
      const task = this.#taskOf(schedule, id);
      return task ? !SETTLED_STATES.has(task.state) : !isCreated;
    });
  }

  #create(schedule: ScheduleView, run: ScheduleRun): void {
    const { project } = schedule.spec;
    const ref = { project, task: run.task };
    const { host, timers, environment, decide } = this.#context;
    const known = taskOf(this.#context.projections, ref);
    if (known && known.spec.schedule?.id !== schedule.id)
      return this.#pause(schedule, `task ${run.task} exists already and is not one of its tasks`);
    if (host.get('task', taskKey(ref))) return;
    const spec = specOf(schedule, run);
    const refusal = decide({
      type: 'task.created',
      ...ref,
      spec,
      request_sha256: sha256(firingKeyOf(schedule, run)),
    });
    if (refusal === null || refusal.code === 'log_fenced' || refusal.code === 'shutting_down') return;
    if (refusal.code === 'overloaded' || refusal.code === 'log_unavailable') {
      const again = `${timerKey(schedule.id)}/${run.nominal}`;
      return timers.set(again, environment.clock.now() + AGAIN_MS, () => this.#takeUp(schedule.id));
    }
    this.#pause(schedule, `its task cannot be created: ${refusal.message}`);
  }

  #pause({ id }: ScheduleView, reason: string): void {
    if (this.#context.host.get('schedule', id)?.state === 'active')
      this.#decide({ type: 'schedule.paused', schedule: id, reason });
  }

  #decide(event: ScheduleEvent): void {
    if (this.#context.decide(event) === null) this.#underway.set(event.schedule, canonicalJson(event));
  }

  #stateOf(id: string) {
    return this.#context.host.get('schedule', id)?.context ?? { handledUntil: 0, buffer: [] };
  }

  #taskOf({ spec: { project } }: ScheduleView, task: string): TaskView | undefined {
    return taskOf(this.#context.projections, { project, task });
  }
}

const timerKey = (id: string): string => `schedule:${id}`;
const firingKeyOf = ({ id }: ScheduleView, { nominal }: ScheduleRun): string => firingKey(id, nominal);

function specOf(schedule: ScheduleView, run: ScheduleRun): TaskSpec {
  const { delay_ms, ...task } = schedule.spec.task;
  const values: Readonly<Record<(typeof PLACEHOLDERS)[number], string>> = {
    nominal_time: new Date(run.nominal).toISOString(),
    nominal_date: new Date(wallOf(run.nominal, schedule.spec.zone)).toISOString().slice(0, 10),
    schedule_id: schedule.id,
  };
  const fill = (text: string): string =>
    PLACEHOLDERS.reduce((filled, name) => filled.replaceAll(`{{${name}}}`, () => values[name]), text);
  return {
    ...task,
    title: cutText(fill(task.title), MAX_TITLE_LENGTH),
    description: fill(task.description),
    source: task.source ?? `schedule ${schedule.id}`,
    idempotency_key: firingKeyOf(schedule, run),
    not_before_ms: delay_ms ? run.firedAt + delay_ms : undefined,
    schedule: { id: schedule.id, nominal_ms: run.nominal },
  };
}

/** Whether an event is about a schedule. */
export function isScheduleEvent(event: DomainEvent): event is ScheduleEvent {
  return 'schedule' in event;
}
