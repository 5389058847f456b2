/**
 * Any program as an agent: the prompt by file, argument or standard input; the result by writing back, or by what it
 * printed.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf, SignalboxError, unreachable } from '../../contracts/errors.ts';
import type { Output } from '../../contracts/tasks.ts';
import type { EndedProcess, ExitReport, KillEvidence, ManagedProcess, ProcessRunner } from '../runner.ts';
import { tailOf } from '../tail.ts';
import type { Adoption, Driver, Run, RunEnd, RunOrder, RunResult, RunStart } from './driver.ts';
import { type QuotaSettings, type QuotaSign, quotaSign } from './quota.ts';

export interface CommandSettings {
  /** Program and arguments, with placeholders. */
  readonly command: readonly string[];
  readonly prompt: 'file' | 'argument' | 'stdin';
  /** Where to run; absent for a directory of its own for each attempt. */
  readonly cwd?: string | undefined;
  /** The environment without what Signalbox adds. */
  readonly env: Readonly<Record<string, string>>;
  readonly output: 'stdout' | 'none';
  readonly maxOutputBytes: number;
  /** How it says that its quota is used up; absent where it does not. */
  readonly quota?: QuotaSettings | undefined;
}

export interface CommandDriverOptions {
  readonly runner: ProcessRunner;
  readonly settings: CommandSettings;
  /** Where agents reach Signalbox; null as long as it does not listen. */
  readonly url: () => string | null;
  /** Tells the processes of this data directory from those of another. */
  readonly installation: string;
}

/** Bytes of standard error that go into the log, and of both outputs in which a used-up quota is looked for. */
const MESSAGES_TAIL = 4_096;
/** Bytes of standard output that become an output. */
const STDOUT_OUTPUT = 256 * 1_024;
/** Milliseconds that what an agent left behind gets between SIGTERM and SIGKILL. */
const LEFTOVER_GRACE = 1_000;

export class CommandDriver implements Driver {
  readonly name = 'command';
  readonly writesBack = true;
  readonly adoptable = true;
  readonly #options: CommandDriverOptions;

  constructor(options: CommandDriverOptions) {
    this.#options = options;
  }

  async start(order: RunOrder): Promise<Run> {
    const { settings, runner } = this.#options;
    const workDirectory = settings.cwd ?? join(order.directory, 'work');
    const promptFile = join(order.directory, 'prompt.md');
    try {
      await mkdir(settings.cwd === undefined ? workDirectory : order.directory, {
        recursive: true,
        mode: 0o700,
      });
      await writeFile(promptFile, order.prompt(), { mode: 0o600 });
    } catch (cause) {
      throw new SignalboxError(
        'spawn_failed',
        `the attempt's directory cannot be written: ${messageOf(cause)}`,
        { cause },
      );
    }
    const process = await runner.spawn({
      directory: processDirectory(order),
      command: settings.command.map((word) => fillIn(word, order, workDirectory, promptFile)),
      cwd: workDirectory,
      env: this.#environmentOf(order, promptFile),
      marker: this.#markerOf(order),
      stdin: settings.prompt === 'stdin' ? promptFile : undefined,
      maxOutputBytes: settings.maxOutputBytes,
    });
    return this.#runOf(process, order);
  }

  async adopt(order: RunOrder): Promise<Adoption> {
    const adoption = await this.#options.runner.adopt(processDirectory(order), this.#markerOf(order));
    switch (adoption.kind) {
      case 'running':
        return { kind: 'running', run: this.#runOf(adoption.process, order) };
      case 'ended': {
        const leftovers = await adoption.process.kill({ graceMs: LEFTOVER_GRACE });
        const end = await this.#endOf(adoption.process.report, leftovers, order);
        return { kind: 'ended', start: startOf(adoption.process), end };
      }
      case 'never_started':
        return { kind: 'never_started' };
      default:
        return unreachable(adoption, 'adopt');
    }
  }

  #runOf(process: ManagedProcess, order: RunOrder): Run {
    let killing: Promise<KillEvidence> | undefined;
    const ended = process.exited.then(async (report) => {
      // Also after a good end: what an agent has left running in the background is not to outlive its attempt.
      const evidence = await (killing ?? process.kill({ graceMs: LEFTOVER_GRACE }));
      return this.#endOf(report, evidence, order);
    });
    return {
      start: {
        host: process.identity.host,
        pid: process.identity.pid,
        startTime: process.identity.startTime,
      },
      ended,
      lastSignAt: () => process.outputBytes().lastOutputAt ?? process.startedAt,
      tree: () => process.tree(),
      stop: (graceMs) => {
        killing = process.kill({ graceMs });
      },
      detach: () => process.detach(),
    };
  }

  async #endOf(report: ExitReport, evidence: KillEvidence, order: RunOrder): Promise<RunEnd> {
    const directory = processDirectory(order);
    const result = resultOf(report);
    const stderrTail = await tailOf(join(directory, 'stderr.log'), MESSAGES_TAIL);
    return {
      result,
      outputs: result.kind === 'exited' && result.code === 0 ? await this.#printed(order) : [],
      stderrTail: stderrTail === '' ? undefined : stderrTail,
      peakMemoryBytes: report.peakMemoryBytes,
      cpuMs: report.cpuMs,
      quota: await this.#quotaSign(directory, stderrTail, report.endedAt),
      evidence: { ...evidence, stdoutBytes: report.stdoutBytes, stderrBytes: report.stderrBytes },
    };
  }

  async #quotaSign(directory: string, stderrTail: string, endedAt: number): Promise<QuotaSign | undefined> {
    const { quota } = this.#options.settings;
    if (quota === undefined) return undefined;
    return quotaSign(
      quota,
      [stderrTail, await tailOf(join(directory, 'stdout.log'), MESSAGES_TAIL)],
      endedAt,
    );
  }

  async #printed(order: RunOrder): Promise<Output[]> {
    if (this.#options.settings.output === 'none') return [];
    const content = await tailOf(join(processDirectory(order), 'stdout.log'), STDOUT_OUTPUT);
    if (content.trim() === '') return [];
    return [{ type: 'other', title: `Standard output of ${order.agent}`, content, agent: order.agent }];
  }

  #environmentOf(order: RunOrder, promptFile: string): Record<string, string> {
    return {
      ...this.#options.settings.env,
      SIGNALBOX_URL: this.#options.url() ?? '',
      SIGNALBOX_PROJECT: order.project,
      SIGNALBOX_TASK_ID: order.task,
      SIGNALBOX_ATTEMPT: String(order.attempt),
      SIGNALBOX_AGENT_ID: order.agent,
      SIGNALBOX_TOKEN: order.token,
      SIGNALBOX_PROMPT_FILE: promptFile,
    };
  }

  #markerOf({ project, task, attempt }: RunOrder): string {
    return `${this.#options.installation}:${project}/${task}/${attempt}`;
  }
}

/** Apart from the driver's own files: the runner wants a directory for one process, ever. */
function processDirectory(order: RunOrder): string {
  return join(order.directory, 'process');
}

/** How an ended process began; null where the command was never executed, or nobody knows. */
function startOf({ identity, report: { exit } }: EndedProcess): RunStart | null {
  if (identity) return { host: identity.host, pid: identity.pid, startTime: identity.startTime };
  return exit.kind === 'exited' || exit.kind === 'signalled' ? { host: hostname() } : null;
}

function fillIn(word: string, order: RunOrder, workDirectory: string, promptFile: string): string {
  return word.replaceAll(
    /\{(prompt|prompt_file|task_id|project|attempt|work_dir)\}/g,
    (_all, name: string) => {
      switch (name) {
        case 'prompt':
          return order.prompt();
        case 'prompt_file':
          return promptFile;
        case 'task_id':
          return order.task;
        case 'project':
          return order.project;
        case 'attempt':
          return String(order.attempt);
        default:
          return workDirectory;
      }
    },
  );
}

function resultOf({ exit }: ExitReport | EndedProcess['report']): RunResult {
  switch (exit.kind) {
    case 'exited':
    case 'signalled':
    case 'lost':
      return exit;
    case 'spawn_failed':
      return { kind: 'threw', error: exit.reason };
    default:
      return unreachable(exit, 'resultOf');
  }
}
