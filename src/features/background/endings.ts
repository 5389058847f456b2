/**
 * Which background commands have finished, in the order of the log. Read from the log when it is first asked for, and
 * kept up from what is committed.
 *
 * E1 The place of an ending is its event's: it is the same after every restart, and none comes before one that was
 *    there already.
 */
import type { AppContext } from '../../app/context.ts';
import type { EventRecord } from '../../contracts/events/events.ts';
import { BACKGROUND_PROJECT } from '../../contracts/ids.ts';
import { taskSubject } from '../../contracts/messages/subjects.ts';
import { SETTLED_STATES, type TaskState } from '../../contracts/tasks.ts';
import { decodeRecord } from '../../journal/codec/cloud-event.ts';

export interface Ending {
  /** Of the event that settled it. */
  readonly sequence: number;
  readonly task: string;
}

/** The events by which a task of one attempt, no token and no reviewer is over: failed, done, cancelled. */
const FINISHING = ['attempt_ended', 'approved', 'cancelled'].map(
  (name) => `${taskSubject(BACKGROUND_PROJECT, '*')}.${name}`,
);

export class Endings {
  readonly #app: AppContext;
  readonly #stop: () => void;
  /** What is older is read from the log; from here on each ending is heard of. */
  readonly #begin: number;
  /** In the order of the log. */
  readonly #heard: Ending[] = [];
  #read: Promise<readonly Ending[]> | null = null;

  constructor(app: AppContext) {
    this.#app = app;
    this.#begin = app.state.projections.sequence;
    this.#stop = app.log.onRecord((record) => {
      if (isEnding(record)) this.#heard.push({ sequence: record.sequence, task: record.event.task });
    });
  }

  /** The first so many after a place in the log. @throws SignalboxError `nats_unavailable`, `log_corrupt` */
  async after(sequence: number, limit: number): Promise<readonly Ending[]> {
    const heard = firstAfter(this.#heard, sequence, limit);
    // Most drains ask for what is new: then nothing is read.
    if (sequence >= this.#begin) return heard;
    this.#read ??= this.#readOlder();
    const older = await this.#read.catch((error: unknown) => {
      this.#read = null;
      throw error;
    });
    return [...firstAfter(older, sequence, limit), ...firstAfter(this.#heard, sequence, limit)].slice(
      0,
      limit,
    );
  }

  close(): void {
    this.#stop();
  }

  async #readOlder(): Promise<readonly Ending[]> {
    const endings: Ending[] = [];
    for (const filter of FINISHING) {
      for await (const { bytes, sequence } of this.#app.log.messages.readByFilter(filter)) {
        if (sequence > this.#begin) break;
        const record = decodeRecord(Buffer.from(bytes).toString(), `sequence ${sequence}`);
        if (isEnding(record)) endings.push({ sequence, task: record.event.task });
      }
    }
    return endings.sort((a, b) => a.sequence - b.sequence);
  }
}

function firstAfter(endings: readonly Ending[], sequence: number, limit: number): readonly Ending[] {
  const first = endings.findIndex((ending) => ending.sequence > sequence);
  return first === -1 ? [] : endings.slice(first, first + limit);
}

type Ended = EventRecord & { readonly event: { readonly task: string } };

function isEnding<R extends EventRecord>(record: R): record is R & Ended {
  const { event, transitions } = record;
  if (!('task' in event) || event.project !== BACKGROUND_PROJECT) return false;
  const move = transitions.find(({ entity }) => entity === 'task');
  if (!move || !SETTLED_STATES.has(move.to as TaskState)) return false;
  return move.from === null || !SETTLED_STATES.has(move.from as TaskState);
}
