import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptDirectory, RecordedExit, SpecRecord } from './files/attempt-directory.ts';
import { recordedExit, reportOf } from './files/exit-report.ts';
import { OutputFiles } from './files/output-files.ts';
import type { Host } from './host/host.ts';
import { findAlive, isAlive, type ProcessKey } from './host/process-table.ts';
import type { ExitReport, ProcessExit } from './runner.ts';
import { readKey, readStart, START_MS_MAX, type StartRecord, untilStarted } from './start.ts';

const POLL_MS = 20;

/** What the files of an attempt and the process table say about it together. */
export type Finding =
  | { readonly kind: 'never_started'; readonly reason: string }
  | {
      readonly kind: 'running';
      readonly spec: SpecRecord;
      readonly launcher: ProcessKey;
      readonly agent: ProcessKey;
    }
  | {
      readonly kind: 'ended';
      readonly report: ExitReport;
      readonly launcher?: ProcessKey | undefined;
      readonly agent?: ProcessKey | undefined;
    };

/**
 * A1. Whoever creates the launcher's file first decides: the launcher, then the command may have been executed; or
 *     this search, then it never will be.
 * A2. A launcher identifies itself before it forks, its child before it executes the command. So if the child did not
 *     identify itself and no process with the marker is left, the command was not executed.
 * A3. A complete exit record is believed before anything else; pids are believed only on the same machine and boot.
 */
export class AdoptionSearch {
  readonly #host: Host;
  readonly #directory: AttemptDirectory;
  readonly #marker: string;

  constructor(host: Host, directory: AttemptDirectory, marker: string) {
    this.#host = host;
    this.#directory = directory;
    this.#marker = marker;
  }

  async run(): Promise<Finding> {
    const spec = this.#directory.readSpec();
    const elsewhere = spec === undefined ? undefined : this.#elsewhere(spec);
    const record = this.#directory.readExit();
    if (record !== undefined) return this.#recorded(spec, record, elsewhere); // A3
    if (elsewhere !== undefined) return this.#lost(spec, elsewhere, elsewhere);
    if (await this.#directory.abandon()) return notStarted('no launcher had begun its work'); // A1
    if (spec === undefined) return this.#lost(spec, 'what was to be started is not recorded');
    const start = await this.#start();
    if (start === 'unclear') return this.#lost(spec, 'its launcher hangs and neither started it nor gave up');
    if (start === undefined) return notStarted('its launcher was killed before that');
    if (this.#isAlive(start.launcher) || this.#isAlive(start.agent))
      return { kind: 'running', spec, ...start };
    const late = this.#directory.readExit();
    if (late !== undefined) return this.#recorded(spec, late, undefined);
    return this.#lost(spec, 'it ended while nobody watched, and its launcher did not live to record how');
  }

  /** The boot tells machines apart as well. A machine's name may change while it runs, so it is asked second. */
  #elsewhere(spec: SpecRecord): string | undefined {
    const renamed = spec.host !== this.#host.name;
    const rebooted = spec.bootId !== this.#host.bootId;
    if (renamed && (rebooted || spec.bootId === undefined)) {
      return `it was started on ${spec.host}, and this is ${this.#host.name}`;
    }
    return rebooted ? 'the machine was restarted after it was started' : undefined;
  }

  async #recorded(
    spec: SpecRecord | undefined,
    record: RecordedExit,
    elsewhere: string | undefined,
  ): Promise<Finding> {
    return this.#ended(spec, await recordedExit(this.#directory, record), elsewhere, record);
  }

  #lost(spec: SpecRecord | undefined, reason: string, elsewhere?: string): Promise<Finding> {
    return this.#ended(spec, { kind: 'lost', reason }, elsewhere);
  }

  async #ended(
    spec: SpecRecord | undefined,
    exit: ProcessExit,
    elsewhere: string | undefined,
    record?: RecordedExit,
  ): Promise<Finding> {
    const output = new OutputFiles(
      this.#directory,
      spec?.maxOutputBytes ?? Number.MAX_SAFE_INTEGER,
      this.#host.log,
    );
    await output.close();
    const measured = { output: output.bytes(), cpuMs: record?.cpuMs };
    const report = reportOf(exit, record?.recordedAt ?? this.#host.now(), measured);
    if (elsewhere !== undefined) return { kind: 'ended', report }; // A3
    const launcher = readKey(this.#host, this.#directory, 'launcher');
    return { kind: 'ended', report, launcher, agent: readKey(this.#host, this.#directory, 'agent') };
  }

  /** A2 */
  async #start(): Promise<StartRecord | 'unclear' | undefined> {
    const launcher = readKey(this.#host, this.#directory, 'launcher');
    const start = await untilStarted(this.#host, this.#directory, () => !this.#isAlive(launcher));
    if (start !== undefined) return start;
    const end = performance.now() + START_MS_MAX;
    while (await this.#markedExists()) {
      const late = readStart(this.#host, this.#directory);
      if (late !== undefined) return late;
      if (performance.now() > end) return 'unclear';
      await pause(POLL_MS);
    }
    return readStart(this.#host, this.#directory);
  }

  async #markedExists(): Promise<boolean> {
    const index = await this.#host.scans.scan('0');
    return index.marked(this.#marker).some(isAlive);
  }

  #isAlive(key: ProcessKey | undefined): boolean {
    return key !== undefined && findAlive(this.#host.table, key) !== undefined;
  }
}

function notStarted(reason: string): Finding {
  return { kind: 'never_started', reason };
}
