/**
 * The board at any past moment, by folding the log again. Users who drag a slider ask for many moments close to each
 * other, so some states are kept for a while: a moment costs only the events since the nearest kept state before it.
 *
 * A moment shows what was visible when its event had been stored, and nothing later. Reading has no effects; what is kept
 * is bounded, and dropped when it is not used. The log is read in slices, one moment at a time.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  copyOfPast,
  evolvePast,
  forgetInPast,
  newPastStates,
  type PastStates,
  type Projections,
} from '../../../projections/index.ts';
import type { Environment } from '../../base/environment.ts';
import { withLimit } from '../../base/time.ts';
import { SETTLED_CARDS } from '../../contracts/api/board.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { taskKey } from '../../contracts/ids.ts';
import { type Moment, momentText } from '../../engine/replay/moment.ts';
import type { Needs, PastReader } from '../context.ts';

interface Frame {
  readonly state: PastStates;
  /** The last event in the state; null before the first. */
  record: StoredRecord | null;
}

export interface PastLog extends Needs<'log.read' | 'log.onRecord' | 'log.closed'> {
  readonly environment: Pick<Environment, 'clock'>;
  readonly state: { readonly projections: Pick<Projections, 'sequence'> };
}

export interface PastSettings {
  /** Milliseconds until a caller is told to ask again; the reading goes on. */
  readonly patienceMs: number;
  /** Milliseconds after the last use until all states are dropped. */
  readonly keepMs: number;
  /** Events between two kept states, at first. */
  readonly stride: number;
  /** Maximum number of kept states. If there are more, every second one is dropped and the distance doubles. */
  readonly frames: number;
}

const SETTINGS: PastSettings = { patienceMs: 7_000, keepMs: 300_000, stride: 500, frames: 48 };
/** Events that are folded without a pause: about 5 ms. */
const SLICE_EVENTS = 256;
/** Settled tasks of each state that a state keeps; older ones are on no board, and nothing more happens to them. */
const SETTLED_KEPT = 2 * SETTLED_CARDS;

export class Past implements PastReader {
  readonly #app: PastLog;
  readonly #settings: PastSettings;
  /** In the order of the log. */
  #frames: Frame[] = [];
  #stride: number;
  /** The state at the end of the last reading. */
  #last: Frame | null = null;
  /** Resolves when the earlier callers have been served. */
  #turn: Promise<unknown> = Promise.resolve();
  #progress = 0;
  #cancelRelease = (): void => {};
  /** Increased when kept states must no longer be used. */
  #generation = 0;

  constructor(app: PastLog, settings: Partial<PastSettings> = {}) {
    this.#app = app;
    this.#settings = { ...SETTINGS, ...settings };
    this.#stride = this.#settings.stride;
    // Content that is erased from the log must not be visible in kept states.
    const stop = app.log.onRecord(({ event }) => {
      if (event.type === 'task.redacted') this.#release();
    });
    const close = (): void => {
      stop();
      this.#release();
    };
    app.log.closed.addEventListener('abort', close, { once: true });
  }

  async at<Shown>(
    moment: Moment,
    signal: AbortSignal,
    show: (state: PastStates, record: StoredRecord) => Shown,
  ): Promise<Shown> {
    this.#assertInLog(moment);
    this.#keep();
    let isLate = false;
    const turn = this.#turn.then(async () => {
      const frame = await this.#reach(moment, () => signal.aborted && !isLate);
      return frame.record === null ? this.#refuse(moment) : show(frame.state, frame.record);
    });
    this.#turn = turn.catch(() => undefined);
    const onLimit = (): never => {
      isLate = true;
      return this.#throwPending();
    };
    return withLimit(turn, this.#settings.patienceMs, onLimit, this.#app.environment.clock);
  }

  #assertInLog(moment: Moment): void {
    const end = this.#app.state.projections.sequence;
    if (moment.kind === 'sequence' && (moment.sequence < 1 || moment.sequence > end)) this.#refuse(moment);
  }

  #refuse(moment: Moment): never {
    const end = this.#app.state.projections.sequence;
    throw new SignalboxError(
      'no_such_moment',
      `there is nothing at ${momentText(moment)}: the log has the events 1 to ${end}`,
      { details: { moment, end } },
    );
  }

  /** @param isUnwanted whether no caller is waiting for it */
  async #reach(moment: Moment, isUnwanted: () => boolean): Promise<Frame> {
    const generation = this.#generation;
    const frame = this.#start(moment);
    const range = moment.kind === 'sequence' ? { to: moment.sequence } : {};
    const from = sequenceOf(frame) + 1;
    this.#progress = from - 1;
    if (moment.kind === 'time' || from <= moment.sequence) {
      let count = 0;
      for await (const record of this.#app.log.read({ from, ...range })) {
        if (moment.kind === 'time' && record.time > moment.time) break;
        evolvePast(frame.state, record);
        frame.record = record;
        this.#progress = record.sequence;
        // A moment is after all events of a message.
        if (record.left > 0) continue;
        if (record.sequence % this.#stride === 0 && generation === this.#generation) this.#note(frame);
        if (++count % SLICE_EVENTS !== 0) continue;
        await nextTurn();
        if (isUnwanted() || this.#app.log.closed.aborted) break;
      }
    }
    if (generation === this.#generation) this.#last = frame;
    return frame;
  }

  /** The nearest earlier state; the caller may change it. */
  #start(moment: Moment): Frame {
    const isEarlier = ({ record }: Frame): boolean =>
      record === null ||
      (moment.kind === 'sequence' ? record.sequence <= moment.sequence : record.time <= moment.time);
    const kept = this.#frames.findLast(isEarlier);
    const last = this.#last;
    if (last && isEarlier(last) && sequenceOf(last) >= (kept ? sequenceOf(kept) : 0)) {
      this.#last = null;
      return last;
    }
    return kept ? copyOf(kept) : copyOf(EMPTY);
  }

  #note(frame: Frame): void {
    forgetSettled(frame.state);
    const place = sequenceOf(frame);
    const index = this.#frames.findIndex((each) => sequenceOf(each) >= place);
    if (index !== -1 && sequenceOf(this.#frames[index] ?? EMPTY) === place) return;
    this.#frames.splice(index === -1 ? this.#frames.length : index, 0, copyOf(frame));
    if (this.#frames.length <= this.#settings.frames) return;
    this.#stride *= 2;
    this.#frames = this.#frames.filter((each) => sequenceOf(each) % this.#stride === 0);
  }

  #throwPending(): never {
    const end = this.#app.state.projections.sequence;
    throw new SignalboxError(
      'past_pending',
      `the past is being read, ${this.#progress} of ${end} events so far: ask again`,
      { details: { read: this.#progress, end } },
    );
  }

  #keep(): void {
    this.#cancelRelease();
    this.#cancelRelease = this.#app.environment.clock.schedule(this.#settings.keepMs, () => this.#release());
  }

  #release(): void {
    this.#cancelRelease();
    this.#generation++;
    this.#frames = [];
    this.#stride = this.#settings.stride;
    this.#last = null;
  }
}

const EMPTY: Frame = { state: newPastStates(), record: null };

const sequenceOf = ({ record }: Frame): number => record?.sequence ?? 0;

/** Entries are replaced and never changed, so only the tables are copied. */
function copyOf({ state, record }: Frame): Frame {
  return { state: copyOfPast(state), record };
}

/** Dead letters stay: they can be redriven. */
function forgetSettled(states: PastStates): void {
  const board = states.blackboard;
  for (const state of ['done', 'cancelled'] as const) {
    if (board.counts[state] <= 2 * SETTLED_KEPT) continue;
    const settled = [...board.tasks.values()].filter((task) => task.state === state);
    settled.sort((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0));
    for (const { project, id } of settled.slice(SETTLED_KEPT)) {
      forgetInPast(states, taskKey({ project, task: id }));
    }
  }
}
