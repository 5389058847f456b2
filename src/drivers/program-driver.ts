/**
 * Runs a program for each attempt: its files, its environment, its process, what it leaves behind, and its output.
 *
 * Everything that an adoption needs is in the attempt's directory or follows from the request: nothing is kept only in
 * memory. A run that continues outside its process is asked for (settlement.ts) until its end is known or it is stopped; it
 * is never started again on a guess. Long because every step of a run shares its files and its request.
 */
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { writeFresh } from '../base/regular-files.ts';
import { messageOf, SignalboxError, unreachable } from '../contracts/errors.ts';
import { type AttemptRef, attemptKey } from '../contracts/ids.ts';
import { tailOf } from '../process/files/tail.ts';
import type { EndedProcess, ExitReport, KillEvidence, ManagedProcess } from '../process/runner.ts';
import { Conversation, openingText } from './conversation/conversation.ts';
import { foundAlive, killAfterLeaving, withFailure } from './conversation/ending.ts';
import { mcpServerWith } from './declared/own-command.ts';
import type { DriverServices } from './definition.ts';
import type {
  Adoption,
  Driver,
  Prompting,
  Run,
  RunAnswer,
  RunEnd,
  RunMessage,
  RunRequest,
  RunStart,
} from './driver.ts';
import {
  type AttemptFiles,
  assertArguments,
  attemptEnvironment,
  complaintOf,
  type Invocation,
  MESSAGES_TAIL_BYTES,
  type Program,
  type ProgramEnd,
} from './program.ts';
import { watchResult } from './result-watch.ts';
import { Settlement } from './settlement.ts';
import { noteFormat } from './transcript/format-file.ts';

export type ProgramServices = Pick<DriverServices, 'runner' | 'url' | 'installation'>;

/** Milliseconds between SIGTERM and SIGKILL for what an agent left behind. */
const LEFTOVER_GRACE_MS = 1_000;
/** The same for an agent whose conversation is over, at most: some ignore SIGTERM. */
const MAX_OVER_GRACE_MS = 3_000;

interface ProcessEnd {
  readonly report: ExitReport;
  readonly evidence: KillEvidence;
}

type ReadEnd = ProgramEnd & Pick<RunEnd, 'stderrTail' | 'complaint'>;

export class ProgramDriver implements Driver {
  readonly name: string;
  readonly writesBack = true;
  readonly cwd: string | undefined;
  readonly takesWorkspace: boolean;
  readonly adoptable = true;
  readonly prompting: Prompting;
  readonly resumes: boolean;
  readonly lingerMs: number | undefined;
  readonly #services: ProgramServices;
  readonly #program: Program;

  constructor(services: ProgramServices, program: Program) {
    this.#services = services;
    this.#program = program;
    this.name = program.name;
    this.cwd = program.settings.cwd;
    this.takesWorkspace = program.settings.cwd === undefined;
    this.prompting = program.prompting;
    this.resumes = program.resumes;
    this.lingerMs = program.lingerMs;
  }

  async start(request: RunRequest): Promise<Run> {
    const files = this.#filesOf(request);
    await this.#writeFiles(files, request);
    const invocation = this.#program.invocation(request, files);
    const process = await this.#spawn(request, files, 'process', invocation);
    return this.#runOf(process, request, files);
  }

  async adopt(request: RunRequest): Promise<Adoption> {
    const files = this.#filesOf(request);
    const { runner } = this.#services;
    const directory = join(files.directory, 'process');
    const adoption = await runner.adopt(directory, this.#markerOf(request), request.startedAs);
    switch (adoption.kind) {
      case 'running':
        return { kind: 'running', run: this.#runOf(adoption.process, request, files) };
      case 'ended':
        return this.#adoptEnded(adoption.process, request, files);
      case 'never_started':
        return { kind: 'never_started' };
      default:
        return unreachable(adoption, 'adopt');
    }
  }

  async #adoptEnded(process: EndedProcess, request: RunRequest, files: AttemptFiles): Promise<Adoption> {
    const evidence = await process.kill({ graceMs: LEFTOVER_GRACE_MS });
    const ended = { report: process.report, evidence };
    const read = await this.#read(ended, request, files);
    const start = startOf(process, this.#program.sessionOf?.(request));
    if (read.unsettled === undefined || start === null)
      return { kind: 'ended', start, end: endOf(read, ended) };
    const settlement = this.#settlement(request, files, read.unsettled);
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

  #runOf(process: ManagedProcess, request: RunRequest, files: AttemptFiles): Run {
    let killing: Promise<KillEvidence> | undefined;
    let settlement: Settlement | undefined;
    let isDetached = false;
    const conversation = this.#converse(process, request, files);
    void conversation?.whenOver.then(() => {
      if (!isDetached)
        killing ??= process.kill({ graceMs: Math.min(request.killGraceMs, MAX_OVER_GRACE_MS) });
    });
    const watch = conversation
      ? { resulted: conversation.whenResulted, close: () => conversation.close() }
      : watchResult(process, this.#program, join(files.directory, 'process'));
    const ended = process.exited.then(async (report) => {
      watch.close();
      // Also after success: background processes that an agent has left must not outlive its attempt.
      const evidence = await (killing ?? process.kill({ graceMs: LEFTOVER_GRACE_MS }));
      const processEnd = { report, evidence };
      const wasEnded = conversation?.isOver === true && foundAlive(evidence, process.identity);
      const read = withFailure(await this.#read(processEnd, request, files, wasEnded), conversation?.failure);
      if (read.unsettled === undefined || isDetached) return endOf(read, processEnd);
      settlement = this.#settlement(request, files, read.unsettled);
      if (killing) settlement.stop();
      return endOf((await settlement.end) ?? read, processEnd);
    });
    const { host, pid, startTime } = process.identity;
    return {
      start: { host, pid, startTime, session: this.#program.sessionOf?.(request) },
      ended,
      resulted: watch.resulted,
      lastSignAt: () =>
        settlement?.lastSignAt ??
        Math.max(process.outputBytes().lastOutputAt ?? process.startedAt, conversation?.lastSentAt ?? 0),
      ...(conversation && {
        answer: (answer: RunAnswer) => conversation.answer(answer),
        steer: (message: RunMessage) => conversation.steer(message),
      }),
      tree: () => process.tree(),
      stop: (graceMs) => {
        // The process has ended by then: a kill would find the commands of the settlement.
        if (settlement) settlement.stop();
        else killing = killing ? process.kill({ graceMs }) : killAfterLeaving(process, conversation, graceMs);
      },
      detach: () => {
        isDetached = true;
        watch.close();
        settlement?.detach();
        process.detach();
      },
    };
  }

  /** Null for a program whose standard input has ended, also for one that an earlier version of Signalbox started. */
  #converse({ channel }: ManagedProcess, request: RunRequest, files: AttemptFiles): Conversation | null {
    const { protocol } = this.#program;
    if (!channel || !protocol) return null;
    const url = this.#services.url();
    const { workDirectory, promptFile } = files;
    const mcpServer = url === null ? null : mcpServerWith(attemptEnvironment(request, url, promptFile, {}));
    return new Conversation(channel, protocol, { request, workDirectory, mcpServer });
  }

  #settlement(request: RunRequest, files: AttemptFiles, run: string): Settlement {
    const settling = this.#program.settling?.(request, files, run);
    if (!settling) throw new SignalboxError('internal', `driver ${this.name} cannot ask for run ${run}`);
    return new Settlement(settling, files.directory, (name, invocation) =>
      this.#spawn(request, files, name, invocation),
    );
  }

  async #read(
    { report }: ProcessEnd,
    request: RunRequest,
    files: AttemptFiles,
    wasEnded?: boolean,
  ): Promise<ReadEnd> {
    const directory = join(files.directory, 'process');
    // Whatever happens, the end is reported.
    const stderrTail = await tailOf(join(directory, 'stderr.log'), MESSAGES_TAIL_BYTES).catch(() => '');
    const { exit, endedAt, stdoutBytes } = report;
    try {
      const ended = { directory, exit, endedAt, stderrTail, stdoutBytes, wasEnded };
      const read = await this.#program.read(ended, request);
      const hasFailed = exit.kind === 'exited' && exit.code !== 0;
      const complaint = hasFailed ? await complaintOf({ directory, stderrTail }) : undefined;
      return {
        ...read,
        ...(stderrTail !== '' && { stderrTail }),
        ...(complaint !== undefined && { complaint }),
      };
    } catch (error) {
      const failure = `cannot read its output: ${messageOf(error)}`;
      return { result: { kind: 'lost', reason: failure }, outputs: [], failure };
    }
  }

  async #spawn(
    request: RunRequest,
    files: AttemptFiles,
    name: string,
    invocation: Invocation,
  ): Promise<ManagedProcess> {
    const { command } = invocation;
    assertArguments(command);
    const { settings, protocol } = this.#program;
    const inputStays = protocol !== undefined && name === 'process';
    const stdin = inputStays ? openingFile(files) : invocation.stdin;
    return this.#services.runner.spawn({
      directory: join(files.directory, name),
      command,
      cwd: files.workDirectory,
      env: attemptEnvironment(request, this.#services.url(), files.promptFile, {
        ...invocation.env,
        ...settings.env,
      }),
      marker: this.#markerOf(request),
      ...(stdin === undefined ? {} : { stdin }),
      inputStays,
      maxOutputBytes: settings.maxOutputBytes,
    });
  }

  #filesOf({ directory, resumes, workspace }: RunRequest): AttemptFiles {
    // A session may be bound to the directory that it began in.
    const home = resumes === null ? directory : join(dirname(directory), String(resumes.attempt));
    return {
      directory,
      workDirectory: this.#program.settings.cwd ?? workspace?.path ?? join(home, 'work'),
      promptFile: join(directory, 'prompt.md'),
    };
  }

  async #writeFiles(files: AttemptFiles, request: RunRequest): Promise<void> {
    const { settings, protocol, transcript } = this.#program;
    try {
      await mkdir(files.directory, { recursive: true, mode: 0o700 });
      if (settings.cwd === undefined && request.workspace === undefined)
        await mkdir(files.workDirectory, { recursive: true, mode: 0o700 });
      // An earlier attempt may have put something in their place.
      await writeFresh(files.promptFile, request.prompt());
      if (transcript !== 'text') await noteFormat(files.directory, transcript);
      if (protocol) await writeFresh(openingFile(files), openingText(protocol, request));
    } catch (cause) {
      const message = `cannot write the attempt's directory: ${messageOf(cause)}`;
      throw new SignalboxError('spawn_failed', message, { cause });
    }
  }

  #markerOf(attempt: AttemptRef): string {
    return `${this.#services.installation}:${attemptKey(attempt)}`;
  }
}

/** What a program that is spoken to gets first. */
function openingFile({ directory }: AttemptFiles): string {
  return join(directory, 'opening.jsonl');
}

function endOf(read: ReadEnd, { report, evidence }: ProcessEnd): RunEnd {
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

/** How an ended process began; null if the command was never executed, or it is not known. */
function startOf({ identity, report: { exit } }: EndedProcess, session: string | undefined): RunStart | null {
  if (identity) return { host: identity.host, pid: identity.pid, startTime: identity.startTime, session };
  return exit.kind === 'exited' || exit.kind === 'signalled' ? { host: hostname(), session } : null;
}
