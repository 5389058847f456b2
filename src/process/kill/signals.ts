/**
 * Sends signals to processes that are proven to be the ones meant: never to a pid or group number below 2, to this process
 * or to its group. The start time is compared right before the signal, in the same turn of the event loop. A group gets a
 * signal only while a process that is known by pid and start time is in it.
 */
import type { OwnProcess } from '../host/ownership.ts';
import type { ProcessKey, ProcessTable } from '../host/process-table.ts';
import { findAlive } from '../host/process-table.ts';
import type { SentSignal } from '../runner.ts';

/** Like `process.kill`: a negative pid means a group. */
export type SendSignal = (pid: number, signal: SentSignal['signal']) => void;

export class Signaller {
  readonly #table: ProcessTable;
  readonly #own: OwnProcess;
  readonly #now: () => number;
  readonly #kill: SendSignal;

  constructor(table: ProcessTable, own: OwnProcess, now: () => number, kill: SendSignal = process.kill) {
    this.#table = table;
    this.#own = own;
    this.#now = now;
    this.#kill = kill;
  }

  /** Undefined if the process is gone. */
  toProcess(key: ProcessKey, signal: SentSignal['signal']): SentSignal | undefined {
    if (key.pid <= 1 || key.pid === this.#own.pid) return undefined;
    if (findAlive(this.#table, key) === undefined) return undefined;
    return this.#send(key.pid, signal, 'process');
  }

  /** Undefined if none of `members` is in the group any more. */
  toGroup(
    group: number,
    members: readonly ProcessKey[],
    signal: SentSignal['signal'],
  ): SentSignal | undefined {
    if (group <= 1 || group === this.#own.pgid) return undefined;
    if (!members.some((key) => findAlive(this.#table, key)?.pgid === group)) return undefined;
    return this.#send(group, signal, 'group');
  }

  #send(pid: number, signal: SentSignal['signal'], to: SentSignal['to']): SentSignal | undefined {
    const sent = { signal, to, pid, at: this.#now() };
    try {
      this.#kill(to === 'group' ? -pid : pid, signal);
      return sent;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      return code === 'ESRCH' ? undefined : { ...sent, refused: code };
    }
  }
}
