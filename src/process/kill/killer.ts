import type { Host } from '../host/host.ts';
import type { ProcessKey } from '../host/process-table.ts';
import type { KillEvidence, KillOptions } from '../runner.ts';
import { KillRun, type KillTarget } from './kill.ts';

/** Kills one attempt's processes, as often as it is asked to, one run at a time. */
export class Killer {
  readonly #host: Host;
  readonly #target: KillTarget;
  #leftBehind: readonly ProcessKey[] = [];
  #current: { readonly run: KillRun; readonly evidence: Promise<KillEvidence> } | undefined;
  #sentKill = false;

  constructor(host: Host, target: KillTarget) {
    this.#host = host;
    this.#target = target;
  }

  /** True if it was this killer that ended the agent, or took from it the launcher that would have told its end. */
  get sentKill(): boolean {
    return this.#sentKill || (this.#current?.run.sentKill ?? false);
  }

  /** Processes that were seen in the launcher's group or session when it ended: nothing else may lead to them later. */
  remember(leftBehind: readonly ProcessKey[]): void {
    this.#leftBehind = leftBehind;
  }

  kill(options: KillOptions): Promise<KillEvidence> {
    if (this.#current !== undefined) {
      this.#current.run.shorten(options);
      return this.#current.evidence;
    }
    const run = new KillRun(this.#host, this.#target, this.#leftBehind, options);
    const evidence = run.run().finally(() => {
      this.#sentKill ||= run.sentKill;
      this.#current = undefined;
    });
    this.#current = { run, evidence };
    return evidence;
  }
}
