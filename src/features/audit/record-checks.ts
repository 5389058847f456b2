/** Checks that the records of a log continue each other: versions of entities, event ids, redactions. */
import { sha256 } from '../../base/hash.ts';
import type { EntityKind, EventOf, StoredRecord, Transition } from '../../contracts/events/events.ts';
import { ATTEMPT_OUTCOMES, SETTLED_STATES, TASK_STATES, type TaskState } from '../../contracts/tasks.ts';

interface Known {
  readonly version: number;
  readonly state: string;
  /** Of the event that led to the state. */
  readonly sequence: number;
}

const OUTCOMES: ReadonlySet<string> = new Set(ATTEMPT_OUTCOMES);
/** 52 bits fit into a number without loss. */
const FINGERPRINT_DIGITS = 13;
const STATES = TASK_STATES.length;

/**
 * The transitions of each entity have the versions 1, 2, 3 …, each from the state that the previous one led to. Memory
 * grows with the open entities; a finished task takes some 50 bytes, an ended attempt none.
 */
export class EntityVersions {
  readonly #open = new Map<string, Known>();
  /** Finished tasks by a fingerprint of their id: version and state in one number. */
  readonly #finished = new Map<number, number>();
  /** The newest event that was not seen; its transitions are not known. */
  #unseen = 0;

  /** @param isWhole whether the first record is the first of the log */
  constructor(isWhole: boolean) {
    if (!isWhole) this.#unseen = Number.MAX_SAFE_INTEGER;
  }

  /** Called for a missing or omitted event. */
  skip(sequence: number): void {
    this.#unseen = sequence;
  }

  /** @returns what is wrong with the transitions of a record */
  check({ transitions, sequence }: StoredRecord): string[] {
    return transitions.flatMap((transition) => {
      const problem = this.#problem(transition);
      this.#note(transition, sequence);
      return problem ?? [];
    });
  }

  #problem({ entity, id, version, from }: Transition): string | null {
    const known = this.#known(entity, id);
    const name = `${entity} ${id}`;
    if (known === null) {
      if ((version === 1 && from === null) || this.#unseen > 0) return null;
      return `${name} begins with version ${version} from ${from ?? 'nothing'}, not with version 1 from nothing`;
    }
    const isComplete = this.#unseen < known.sequence;
    if (!isComplete && version > known.version + 1) return null;
    if (version !== known.version + 1) return `${name} goes from version ${known.version} to ${version}`;
    if (from === known.state) return null;
    return `${name} continues from ${from ?? 'nothing'}, but it was ${known.state}`;
  }

  #known(entity: EntityKind, id: string): Known | null {
    const open = this.#open.get(`${entity} ${id}`);
    if (open) return open;
    const packed = entity === 'task' ? this.#finished.get(fingerprintOf(id)) : undefined;
    if (packed === undefined) return null;
    // The sequence is not kept: after a gap, the state may be older than the gap.
    const sequence = this.#unseen > 0 ? 0 : 1;
    return { version: Math.floor(packed / STATES), state: TASK_STATES[packed % STATES] ?? '', sequence };
  }

  #note({ entity, id, version, to }: Transition, sequence: number): void {
    const key = `${entity} ${id}`;
    if (entity === 'attempt' && OUTCOMES.has(to)) {
      this.#open.delete(key);
    } else if (entity === 'task' && SETTLED_STATES.has(to)) {
      this.#open.delete(key);
      this.#finished.set(fingerprintOf(id), version * STATES + TASK_STATES.indexOf(to as TaskState));
    } else {
      this.#open.set(key, { version, state: to, sequence });
    }
  }
}

function fingerprintOf(id: string): number {
  return Number.parseInt(sha256(id).slice(0, FINGERPRINT_DIGITS), 16);
}

const ID_BASE = 36;

/** Every writer begins with `supervisor.started` and counts its event ids from 0 in base 36. */
export class IdChain {
  /** null if it is not known who writes. */
  #writer: string | null = null;
  #count = 0;
  #isComplete: boolean;

  /** @param isWhole whether the first record is the first of the log */
  constructor(isWhole: boolean) {
    this.#isComplete = isWhole;
  }

  /** Called for a missing or omitted event. */
  skip(): void {
    this.#isComplete = false;
  }

  /** @returns what is wrong with the id of a record, or null */
  check({ id, event }: StoredRecord): string | null {
    const at = id.lastIndexOf('-');
    const writer = id.slice(0, at);
    const count = Number.parseInt(id.slice(at + 1), ID_BASE);
    if (at < 1 || `${writer}-${count.toString(ID_BASE)}` !== id) return `${id} is not an event id`;
    const problem = this.#problem(id, writer, count, event.type === 'supervisor.started');
    this.#writer = writer;
    this.#count = count;
    this.#isComplete = true;
    return problem;
  }

  #problem(id: string, writer: string, count: number, isStart: boolean): string | null {
    if (isStart) {
      return count === 0 && writer !== this.#writer ? null : `the first event of a writer has the id ${id}`;
    }
    if (this.#writer !== writer) {
      return this.#isComplete ? `the writer of id ${id} has not started here` : null;
    }
    const isNext = this.#isComplete ? count === this.#count + 1 : count > this.#count;
    return isNext ? null : `id ${id} follows ${writer}-${this.#count.toString(ID_BASE)}`;
  }
}

/** Tombstones of erased events, until the redaction that vouches for each one follows. */
export class PendingRedactions {
  readonly #pending = new Map<number, { readonly hash: string; readonly text: string }>();
  /** A redaction may be recorded twice. */
  readonly #settled = new Set<number>();

  add(sequence: number, hash: string, bytes: Uint8Array): void {
    this.#pending.set(sequence, { hash, text: Buffer.from(bytes).toString() });
  }

  /**
   * @param by sequence of the redaction
   * @param isWhole whether every earlier event was seen
   * @returns what is wrong with it, or null
   */
  settle(
    { sequence, sha256, skeleton }: EventOf<'task.redacted'>,
    by: number,
    isWhole: boolean,
  ): string | null {
    const pending = this.#pending.get(sequence);
    if (!pending) {
      if (!isWhole || this.#settled.has(sequence)) return null;
      return `redaction ${by} erases event ${sequence}, but its content is still there: start Signalbox to finish the redaction`;
    }
    this.#pending.delete(sequence);
    this.#settled.add(sequence);
    if (pending.hash !== sha256) {
      return `redaction ${by} has the hash ${sha256} for event ${sequence}, which is ${pending.hash}`;
    }
    return pending.text === JSON.stringify(skeleton)
      ? null
      : `the tombstone of event ${sequence} is not the one of redaction ${by}`;
  }

  /** Erased events without a redaction. */
  open(): Iterable<number> {
    return this.#pending.keys();
  }
}
