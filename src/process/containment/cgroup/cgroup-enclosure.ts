/** The cgroup of an attempt: only the agent and what it starts are in it, not the launcher, which records how the agent ends. */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../../contracts/errors.ts';
import type { AttemptDirectory } from '../../files/attempt-directory.ts';
import type { Host } from '../../host/host.ts';
import type { ProcessEntry, ProcessKey } from '../../host/process-table.ts';
import type { SentSignal } from '../../runner.ts';
import type { Enclosure } from '../enclosure.ts';
import {
  isBelowMount,
  isCgroup,
  isPopulated,
  processesOf,
  removeCgroup,
  writeCgroup,
} from './cgroup-files.ts';

const NAME_LENGTH = 32;

export class CgroupEnclosure implements Enclosure {
  readonly containment = 'cgroup';
  readonly path: string;
  readonly #host: Host;
  #agent: ProcessKey | undefined;

  private constructor(host: Host, path: string) {
    this.#host = host;
    this.path = path;
  }

  /** The path for a new attempt. */
  static pathIn(parent: string, directory: AttemptDirectory, marker: string): string {
    return join(parent, nameFor(directory, marker));
  }

  /**
   * The one that a record names, which the agent may have written: it counts only with the name that belongs to the attempt.
   * @returns undefined if it does not
   */
  static recorded(
    host: Host,
    directory: AttemptDirectory,
    marker: string,
    path: string | undefined,
  ): CgroupEnclosure | undefined {
    const isOwn = path !== undefined && basename(path) === nameFor(directory, marker) && isBelowMount(path);
    return isOwn ? new CgroupEnclosure(host, path) : undefined;
  }

  pids(): readonly number[] {
    return processesOf(this.path);
  }

  observe(_living: readonly ProcessEntry[], agent: ProcessKey | undefined): void {
    this.#agent = agent;
  }

  isEmpty(): boolean | undefined {
    const populated = isPopulated(this.path);
    if (populated !== undefined) return !populated;
    // The kernel removes only an empty one. Without those above it, this is another tree.
    return isCgroup(dirname(dirname(this.path))) ? true : undefined;
  }

  killAll(): SentSignal | undefined {
    if (this.isEmpty() !== false) return undefined;
    const sent = {
      signal: 'SIGKILL',
      to: 'cgroup',
      pid: this.#agent?.pid ?? 0,
      at: this.#host.now(),
    } as const;
    try {
      writeCgroup(this.path, 'cgroup.kill', '1');
      return sent;
    } catch (error) {
      return { ...sent, refused: messageOf(error) };
    }
  }

  remove(): void {
    if (this.isEmpty() === true) removeCgroup(this.path);
  }
}

/** Of one attempt, and of one of its processes: an attempt may run several programs, one after the other. */
function nameFor({ path }: AttemptDirectory, marker: string): string {
  return createHash('sha256')
    .update(`${marker}\0${basename(path)}`)
    .digest('hex')
    .slice(0, NAME_LENGTH);
}
