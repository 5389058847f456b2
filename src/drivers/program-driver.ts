/**
 * Runs a program for each attempt: its files, its environment, its process, what it left behind, and what its output
 * comes to.
 *
 * P1 Everything that an adoption needs is in the attempt's directory, or follows from the order: nothing is kept in
 *    memory only.
 * P2 A run that goes on elsewhere is asked for there until its end is known, or it is told to end: it is not started
 *    again on a guess.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf, SignalboxError, unreachable } from '../contracts/errors.ts';
import { tailOf } from '../process/files/tail.ts';
import type {
  EndedProcess,
  ExitReport,
  KillEvidence,
  ManagedProcess,
  ProcessRunner,
} from '../process/runner.ts';
import { assertArguments } from './argument-limit.ts';
import type { Adoption, Driver, Prompting, Run, RunEnd, RunOrder, RunStart } from './driver.ts';
import { attemptEnvironment } from './environment.ts';
import type { Invocation, Place, Program, ProgramEnd } from './program.ts';
import { ResultWatch } from './result-watch.ts';
import { Settlement } from './settlement.ts';

export interface ProgramDriverOptions {
  readonly runner: ProcessRunner;
  /** Where agents reach Signalbox; null as long as it does not listen. */
  readonly url: () => string | null;
  /** Tells the processes of this data directory from those of another. */
  readonly installation: string;
}

/** Bytes of standard error that go into the log, and of both outputs in which a used-up quota is looked for. */
export const MESSAGES_TAIL = 4_096;
/** Milliseconds that what an agent left behind gets between SIGTERM and SIGKILL. */
const LEFTOVER_GRACE = 1_000;

/** What of a process that has ended goes on to the end of the run. */
interface ProcessEnd {
  readonly report: ExitReport | EndedProcess['report'];
  readonly evidence: KillEvidence;
}

export class ProgramDriver implements Driver {
  readonly name: string;
  readonly writesBack = true;
  readonly adoptable = true;
  readonly prompting: Prompting;
  readonly resumes: boolean;
  readonly lingerMs: number | undefined;
  readonly #options: ProgramDriverOptions;
  readonly #program: Program;

  constructor(options: ProgramDriverOptions, program: Program) {
    this.#options = options;
    this.#program = program;
    this.name = program.name;
    this.prompting = program.prompting;
    this.resumes = program.resumes;
    this.lingerMs = program.lingerMs;
  }

  async start(order: RunOrder): Promise<Run> {
    const place = this.#placeOf(order);
    await makePlace(place, order, this.#program.cwd === undefined);
    const invocation = this.#program.invocation(order, place);
    const process = await this.#spawn(order, place, 'process', invocation);
    return this.#runOf(process, order, place);
  }

  async adopt(order: RunOrder): Promise<Adoption> {
    const place = this.#placeOf(order);
    const adoption = await this.#options.runner.adopt(
      join(place.directory, 'process'),
      this.#markerOf(order),
    );
    switch (adoption.kind) {
      case 'running':
        return { kind: 'running', run: this.#runOf(adoption.process, order, place) };
      case 'ended':
        return this.#adoptEnded(adoption.process, order, place);
      case 'never_started':
        return { kind: 'never_started' };
      default:
        return unreachable(adoption, 'adopt');
    }
  }

  async #adoptEnded(process: EndedProcess, order: RunOrder, place: Place): Promise<Adoption> {
    const evidence = await process.kill({ graceMs: LEFTOVER_GRACE });
    const ended = { report: process.report, evidence };
    const read = await this.#read(ended, order, place);
    const start = startOf(process, this.#program.sessionOf?.(order));
    if (read.unsettled === undefined || start === null)
      return { kind: 'ended', start, end: endOf(read, ended) };
    const settlement = this.#settlement(order, place, read.unsettled);
    return {
      kind: 'running',
      run: {
        start,
        ended: settlement.end.then(async (settled) => endOf(settled ?? read, ended)),
        lastSignAt: () => settlement.lastSignAt,
        stop: () => settlement.stop(),
        detach: () => settlement.detach(),
      },
    };
  }

  #runOf(process: ManagedProcess, order: RunOrder, place: Place): Run {
    let killing: Promise<KillEvidence> | undefined;
    let settlement: Settlement | undefined;
    let isDetached = false;
    const watch = new ResultWatch(process, this.#program, join(place.directory, 'process'));
    const ended = process.exited.then(async (report) => {
      watch.close();
      // Also after a good end: what an agent has left running in the background is not to outlive its attempt.
      const evidence = await (killing ?? process.kill({ graceMs: LEFTOVER_GRACE }));
      const processEnd = { report, evidence };
      const read = await this.#read(processEnd, order, place);
      if (read.unsettled === undefined || isDetached) return endOf(read, processEnd);
      settlement = this.#settlement(order, place, read.unsettled);
      if (killing) settlement.stop();
      return endOf((await settlement.end) ?? read, processEnd);
    });
    return {
      start: {
        host: process.identity.host,
        pid: process.identity.pid,
        startTime: process.identity.startTime,
        session: this.#program.sessionOf?.(order),
      },
      ended,
      resulted: watch.resulted,
      lastSignAt: () => settlement?.lastSignAt ?? process.outputBytes().lastOutputAt ?? process.startedAt,
      tree: () => process.tree(),
      stop: (graceMs) => {
        // Its process has ended by then, and whoever looked for what it left would find those that ask for the run.
        if (settlement) settlement.stop();
        else killing = process.kill({ graceMs });
      },
      detach: () => {
        isDetached = true;
        watch.close();
        settlement?.detach();
        process.detach();
      },
    };
  }

  #settlement(order: RunOrder, place: Place, run: string): Settlement {
    const { settling } = this.#program;
    if (!settling) throw new SignalboxError('internal', `driver ${this.name} cannot ask for run ${run}`);
    return new Settlement({
      wait: () => settling.wait(order, place, run),
      abort: () => settling.abort(order, place, run),
      read: (directory) => settling.read(directory, order),
      spawn: (name, invocation) => this.#spawn(order, place, name, invocation),
      directoryOf: (name) => join(place.directory, name),
    });
  }

  async #read(
    { report }: ProcessEnd,
    order: RunOrder,
    place: Place,
  ): Promise<ProgramEnd & Pick<RunEnd, 'stderrTail'>> {
    const directory = join(place.directory, 'process');
    const stderrTail = await tailOf(join(directory, 'stderr.log'), MESSAGES_TAIL);
    const { exit, endedAt } = report;
    try {
      const read = await this.#program.read({ directory, exit, endedAt, stderrTail }, order);
      return stderrTail === '' ? read : { ...read, stderrTail };
    } catch (error) {
      const failure = `its output cannot be read: ${messageOf(error)}`;
      return { result: { kind: 'lost', reason: failure }, outputs: [], failure };
    }
  }

  async #spawn(order: RunOrder, place: Place, name: string, invocation: Invocation): Promise<ManagedProcess> {
    assertArguments(invocation.command);
    return this.#options.runner.spawn({
      directory: join(place.directory, name),
      command: invocation.command,
      cwd: place.workDirectory,
      env: attemptEnvironment(
        order,
        { url: this.#options.url(), promptFile: place.promptFile },
        this.#program.env,
      ),
      marker: this.#markerOf(order),
      ...(invocation.stdin === undefined ? {} : { stdin: invocation.stdin }),
      maxOutputBytes: this.#program.maxOutputBytes,
    });
  }

  /** A session may be bound to the directory that it began in. */
  #placeOf(order: RunOrder): Place {
    const { directory, resumes } = order;
    const home = resumes === null ? directory : join(dirname(directory), String(resumes.attempt));
    return {
      directory,
      workDirectory: this.#program.cwd ?? join(home, 'work'),
      promptFile: join(directory, 'prompt.md'),
    };
  }

  #markerOf({ project, task, attempt }: RunOrder): string {
    return `${this.#options.installation}:${project}/${task}/${attempt}`;
  }
}

async function makePlace(place: Place, order: RunOrder, isOwn: boolean): Promise<void> {
  try {
    await mkdir(place.directory, { recursive: true, mode: 0o700 });
    if (isOwn) await mkdir(place.workDirectory, { recursive: true, mode: 0o700 });
    await writeFile(place.promptFile, order.prompt(), { mode: 0o600 });
  } catch (cause) {
    const message = `the attempt's directory cannot be written: ${messageOf(cause)}`;
    throw new SignalboxError('spawn_failed', message, { cause });
  }
}

function endOf(read: ProgramEnd & Pick<RunEnd, 'stderrTail'>, { report, evidence }: ProcessEnd): RunEnd {
  const { unsettled, ...end } = read;
  return {
    ...end,
    ...(report.peakMemoryBytes === undefined ? {} : { peakMemoryBytes: report.peakMemoryBytes }),
    ...(report.cpuMs === undefined ? {} : { cpuMs: report.cpuMs }),
    evidence: {
      ...evidence,
      stdoutBytes: report.stdoutBytes,
      stderrBytes: report.stderrBytes,
      ...read.evidence,
      ...(unsettled === undefined ? {} : { unsettled_run: unsettled }),
    },
  };
}

/** How an ended process began; null where the command was never executed, or nobody knows. */
function startOf({ identity, report: { exit } }: EndedProcess, session: string | undefined): RunStart | null {
  if (identity) return { host: identity.host, pid: identity.pid, startTime: identity.startTime, session };
  return exit.kind === 'exited' || exit.kind === 'signalled' ? { host: hostname(), session } : null;
}
