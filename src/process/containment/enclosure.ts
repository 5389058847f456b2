/**
 * What keeps the processes of one attempt together: what it knows about them beyond the process table, how it ends them all, and
 * whether it proves that none is left.
 */

import { unreachable } from '../../contracts/errors.ts';
import type { Containment } from '../../contracts/processes/containment.ts';
import type { AttemptDirectory, SpecRecord } from '../files/attempt-directory.ts';
import type { Host } from '../host/host.ts';
import { findAlive, type ProcessEntry, type ProcessKey } from '../host/process-table.ts';
import type { SentSignal } from '../runner.ts';
import { CgroupEnclosure } from './cgroup/cgroup-enclosure.ts';

export interface Enclosure {
  readonly containment: Containment;
  /** The processes in it; empty if only the process table tells. */
  pids(): readonly number[];
  /** Called with the living processes of the attempt. @param agent the process that the launcher has started */
  observe(living: readonly ProcessEntry[], agent: ProcessKey | undefined): void;
  /** `false`: something is left. `undefined`: nothing proves either. */
  isEmpty(): boolean | undefined;
  /** Sends SIGKILL to all of them at once. @returns undefined if there is no such way, or nothing to kill */
  killAll(): SentSignal | undefined;
  /** Removes what was made for it, if it is empty. */
  remove(): void;
}

/** What the record of an attempt says about it. */
export type EnclosureRecord = Pick<SpecRecord, 'marker'> &
  Partial<Pick<SpecRecord, 'containment' | 'cgroup'>>;

export function enclosureOf(host: Host, directory: AttemptDirectory, record: EnclosureRecord): Enclosure {
  // An earlier version of Signalbox has recorded none.
  const { containment = 'search', cgroup } = record;
  switch (containment) {
    case 'cgroup':
      return CgroupEnclosure.recorded(host, directory, record.marker, cgroup) ?? new Search();
    case 'pid_namespace':
      return new Namespace(host, directory);
    case 'subreaper':
      return new Subreaper(directory);
    case 'search':
      return new Search();
    default:
      return unreachable(containment, 'enclosureOf');
  }
}

class Search implements Enclosure {
  readonly containment: Containment = 'search';

  pids(): readonly number[] {
    return [];
  }

  observe(_living: readonly ProcessEntry[], _agent: ProcessKey | undefined): void {}

  isEmpty(): boolean | undefined {
    return undefined;
  }

  killAll(): SentSignal | undefined {
    return undefined;
  }

  remove(): void {}
}

/** The launcher notes at its end that nothing is left. */
class Subreaper extends Search {
  override readonly containment: Containment = 'subreaper';
  readonly #directory: AttemptDirectory;

  constructor(directory: AttemptDirectory) {
    super();
    this.#directory = directory;
  }

  override isEmpty(): boolean | undefined {
    return this.#directory.saysNoneLeft() ? true : undefined;
  }
}

/**
 * The first process of a namespace, which is the child of the agent (namespace.pl). The kernel lets it end only after all others
 * in the namespace have: so if it is gone, nothing is left, also if the launcher was killed.
 */
class Namespace extends Subreaper {
  override readonly containment = 'pid_namespace';
  readonly #host: Host;
  #first: ProcessKey | undefined;

  constructor(host: Host, directory: AttemptDirectory) {
    super(directory);
    this.#host = host;
  }

  override observe(living: readonly ProcessEntry[], agent: ProcessKey | undefined): void {
    this.#first ??= living.find(({ ppid }) => ppid === agent?.pid);
  }

  override isEmpty(): boolean | undefined {
    if (this.#first === undefined) return super.isEmpty();
    return findAlive(this.#host.table, this.#first) === undefined;
  }

  override killAll(): SentSignal | undefined {
    const sent = this.#first && this.#host.signaller.toProcess(this.#first, 'SIGKILL');
    return sent && { ...sent, to: 'namespace' };
  }
}
