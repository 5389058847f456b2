/**
 * The background commands that have finished, in the order of their events in the log, which never changes. Older endings
 * are read from the log on first use; new ones are added as they are committed.
 */
import type { AppContext } from '../../app/context.ts';
import type { EventRecord } from '../../contracts/events/events.ts';
import { BACKGROUND_PROJECT } from '../../contracts/ids.ts';
import { taskSubject } from '../../contracts/messages/subjects.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import { recordsOf } from '../../journal/codec/cloud-event.ts';

export interface Ending {
  /** Of the event that settled the task. */
  readonly sequence: number;
  readonly task: string;
}

/** The events of all background commands: those that settle one may be in a message with others. */
const COMMANDS = `${taskSubject({ project: BACKGROUND_PROJECT, task: '*' })}.>`;

export class Endings {
  readonly #app: AppContext;
  readonly #stop: () => void;
  /** Endings up to this event are read from the log. */
  readonly #start: number;
  /** In the order of the log. */
  readonly #recent: Ending[] = [];
  #read: Promise<readonly Ending[]> | null = null;

  constructor(app: AppContext) {
    this.#app = app;
    this.#start = app.state.projections.sequence;
    this.#stop = app.log.onRecord((record) => {
      if (isEnding(record)) this.#recent.push({ sequence: record.sequence, task: record.event.task });
    });
  }

  /** The first endings after an event, at most `limit`. @throws SignalboxError `nats_unavailable`, `log_corrupt` */
  async after(sequence: number, limit: number): Promise<readonly Ending[]> {
    const recent = firstAfter(this.#recent, sequence, limit);
    if (sequence >= this.#start) return recent;
    this.#read ??= this.#readOlder();
    const older = await this.#read.catch((error: unknown) => {
      this.#read = null;
      throw error;
    });
    return [...firstAfter(older, sequence, limit), ...firstAfter(this.#recent, sequence, limit)].slice(
      0,
      limit,
    );
  }

  close(): void {
    this.#stop();
  }

  async #readOlder(): Promise<readonly Ending[]> {
    const endings: Ending[] = [];
    for await (const record of recordsOf(this.#app.log.messages.readByFilter(COMMANDS))) {
      if (record.sequence > this.#start) break;
      if (isEnding(record)) endings.push({ sequence: record.sequence, task: record.event.task });
    }
    return endings;
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
  if (!move || !SETTLED_STATES.has(move.to)) return false;
  return move.from === null || !SETTLED_STATES.has(move.from);
}
