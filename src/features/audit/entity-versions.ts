/**
 * Whether the transitions of every entity go on from each other: versions 1, 2, 3 …, each from the state that the one
 * before it led to.
 *
 * M1 Memory grows with the entities that are open; of a finished task some 50 bytes are kept, of an ended attempt none.
 */

import { sha256 } from '../../base/hash.ts';
import type { EntityKind, StoredRecord, Transition } from '../../contracts/events/events.ts';
import { ATTEMPT_OUTCOMES, SETTLED_STATES, TASK_STATES, type TaskState } from '../../contracts/tasks.ts';

interface Known {
  readonly version: number;
  readonly state: string;
  /** Sequence of the event that led there. */
  readonly sequence: number;
}

const OUTCOMES: ReadonlySet<string> = new Set(ATTEMPT_OUTCOMES);
/** 52 bits: as a number they are kept exactly. */
const FINGERPRINT_DIGITS = 13;
const STATES = TASK_STATES.length;

export class EntityVersions {
  readonly #open = new Map<string, Known>();
  /** Finished tasks, by a fingerprint of their id: version and state in one number. */
  readonly #finished = new Map<number, number>();
  /** The newest event that was not seen, and what it moved is not known. */
  #unseen = 0;

  /** @param isWhole whether nothing before the first record is missing */
  constructor(isWhole: boolean) {
    if (!isWhole) this.#unseen = Number.MAX_SAFE_INTEGER;
  }

  /** An event is missing, or left out. */
  skip(sequence: number): void {
    this.#unseen = sequence;
  }

  /** What is wrong with the transitions of a record; empty where all is well. */
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
      if (version === 1 && from === null) return null;
      if (this.#unseen > 0) return null;
      return `${name} begins with version ${version} from ${from ?? 'nothing'}, not with version 1 from nothing`;
    }
    const isComplete = this.#unseen < known.sequence;
    if (!isComplete && version > known.version + 1) return null;
    if (version !== known.version + 1) {
      return `${name} goes from version ${known.version} to ${version}`;
    }
    return from === known.state
      ? null
      : `${name} goes on from ${from ?? 'nothing'}, but it was ${known.state}`;
  }

  #known(entity: EntityKind, id: string): Known | null {
    const open = this.#open.get(`${entity} ${id}`);
    if (open) return open;
    const packed = entity === 'task' ? this.#finished.get(fingerprintOf(id)) : undefined;
    if (packed === undefined) return null;
    // When it was is not kept: after a gap it cannot be told any more.
    const sequence = this.#unseen > 0 ? 0 : 1;
    return { version: Math.floor(packed / STATES), state: TASK_STATES[packed % STATES] ?? '', sequence };
  }

  #note({ entity, id, version, to }: Transition, sequence: number): void {
    const key = `${entity} ${id}`;
    if (entity === 'attempt' && OUTCOMES.has(to)) {
      this.#open.delete(key);
    } else if (entity === 'task' && SETTLED_STATES.has(to as TaskState)) {
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
