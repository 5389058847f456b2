/** The interface of a program that is started for each attempt, and what all such programs share. */
import { join } from 'node:path';
import type { z } from 'zod';
import { errorLine } from '../base/text/error-line.ts';
import { MATCH_LIMIT_MS } from '../base/text/limited-match.ts';
import { SignalboxError, unreachable } from '../contracts/errors.ts';
import type { TranscriptFormat } from '../contracts/transcript/schemas.ts';
import { tailOf } from '../process/files/tail.ts';
import type { ExitReport } from '../process/runner.ts';
import type { Protocol } from './conversation/protocol.ts';
import { type DriverServices, pickEnvironment, type quotaSchema } from './definition.ts';
import type { Prompting, RunEnd, RunRequest, RunResult, RunWorkspace } from './driver.ts';
import { type QuotaSettings, type QuotaSign, quotaSign, zoneOfEnvironment } from './quota.ts';

/** The files of an attempt. */
export interface AttemptFiles {
  /** The attempt's own directory. */
  readonly directory: string;
  readonly workDirectory: string;
  readonly promptFile: string;
}

export interface Invocation {
  readonly command: readonly string[];
  /** A file to read standard input from; without it standard input is empty. */
  readonly stdin?: string | undefined;
  /** Variables beside those of the agent's configuration, which count more. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** How a run ended, as its output tells. */
export type ProgramEnd = Pick<
  RunEnd,
  'result' | 'outputs' | 'failure' | 'usage' | 'session' | 'quota' | 'evidence'
> & {
  /** The run continues outside the process, under this name (settlement.ts). */
  readonly unsettled?: string | undefined;
};

export interface EndedOutput {
  /** The directory of the process, with stdout.log and stderr.log. */
  readonly directory: string;
  readonly exit: ExitReport['exit'];
  readonly endedAt: number;
  readonly stderrTail: string;
  /** Bytes of standard output that it wrote, whether they are kept or not. */
  readonly stdoutBytes: number;
  /** Of a conversation: whether it was over, and Signalbox ended the process. Absent if its end was not seen. */
  readonly wasEnded?: boolean | undefined;
}

/** What the configuration of the agent says about the process. */
export interface ProgramSettings {
  /** Where to run; absent for a new directory for each attempt. */
  readonly cwd?: string | undefined;
  /** The environment without what Signalbox adds. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether what it printed becomes an output if it has posted none. */
  readonly output: 'stdout' | 'none';
  readonly maxOutputBytes: number;
  /** How it says that its quota is used up; absent if it does not. */
  readonly quota?: QuotaSettings | undefined;
}

export interface Program {
  readonly name: string;
  readonly settings: ProgramSettings;
  readonly prompting: Prompting;
  readonly resumes: boolean;
  readonly lingerMs?: number | undefined;
  /** In which format it prints what it says and does. */
  readonly transcript: TranscriptFormat;
  /** @throws SignalboxError `spawn_failed` if the program cannot take this prompt */
  invocation(request: RunRequest, files: AttemptFiles): Invocation;
  read(ended: EndedOutput, request: RunRequest): Promise<ProgramEnd>;
  /** The session that an attempt runs in, if it is known from the start. */
  sessionOf?(request: RunRequest): string | undefined;
  /** How it is spoken to while it runs; absent for a program whose standard input ends. */
  readonly protocol?: Protocol;
  /** Whether its output contains the result already. Absent for a program that does not tell. */
  hasResult?(directory: string): Promise<boolean>;
  /** How to find out how a run ended that continues outside its process. */
  settling?(request: RunRequest, files: AttemptFiles, run: string): Settling;
}

export interface Settling {
  wait(): Invocation;
  /** Null if it cannot be ended. */
  abort(): Invocation | null;
  /** Null while it is not over, or its end is not known. */
  read(directory: string): Promise<ProgramEnd | null>;
}

interface ProgramOptions extends Pick<ProgramSettings, 'cwd' | 'env' | 'output'> {
  readonly pass_env: readonly string[];
  readonly max_output_bytes: number;
  readonly quota?: z.output<typeof quotaSchema> | undefined;
}

/** @param passEnv names of variables to pass on beside those of the agent */
export function programSettings(
  { cwd, env, output, pass_env, max_output_bytes, quota }: ProgramOptions,
  services: DriverServices,
  passEnv: readonly string[] = [],
): ProgramSettings {
  const own = { ...pickEnvironment([...passEnv, ...pass_env], services.env), ...env };
  return {
    cwd,
    env: own,
    output,
    maxOutputBytes: max_output_bytes,
    quota: quota?.enabled === true ? quotaSettings(quota, own) : undefined,
  };
}

function quotaSettings(
  { pattern, park_seconds }: z.output<typeof quotaSchema>,
  env: Readonly<Record<string, string>>,
): QuotaSettings {
  return {
    pattern: pattern === undefined ? null : new RegExp(pattern, 'i'),
    parkMs: park_seconds * 1_000,
    zone: zoneOfEnvironment(env),
  };
}

/** Bytes of standard error that go into the log, and of both outputs that are searched for a used-up quota. */
export const MESSAGES_TAIL_BYTES = 4_096;

/**
 * The line of its messages that says best why it failed: of standard error, else of standard output, without lines of
 * JSON. undefined if it printed nothing.
 */
export async function complaintOf({
  directory,
  stderrTail,
}: Pick<EndedOutput, 'directory' | 'stderrTail'>): Promise<string | undefined> {
  const stdout = join(directory, 'stdout.log');
  return errorLine(stderrTail) ?? errorLine(plainLines(await tailOf(stdout, MESSAGES_TAIL_BYTES)));
}

function plainLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*[{}\]"]/.test(line))
    .join('\n');
}

export interface QuotaReading {
  readonly quota?: QuotaSign | undefined;
  readonly evidence?: Readonly<Record<string, string>>;
}

/** @param error the program's own message about what went wrong */
export async function quotaIn(
  { quota }: ProgramSettings,
  { directory, stderrTail, endedAt }: EndedOutput,
  error?: string,
): Promise<QuotaReading> {
  if (quota === undefined) return {};
  const stdoutTail = await tailOf(join(directory, 'stdout.log'), MESSAGES_TAIL_BYTES);
  let isSlow = false;
  const sign = quotaSign(quota, { error, printed: [stderrTail, stdoutTail] }, endedAt, () => {
    isSlow = true;
  });
  return isSlow ? { quota: sign, evidence: { quota_pattern: SLOW_PATTERN } } : { quota: sign };
}

const SLOW_PATTERN = `quota.pattern took more than ${MATCH_LIMIT_MS} ms for this output and was not applied: simplify it, without a repetition inside a repetition`;

/** Linux takes 32 pages for one argument, its closing NUL included, whatever the stack allows (execve(2)). */
const MAX_ARGUMENT_BYTES = 128 * 1_024 - 1;

export function fitsArgument(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_ARGUMENT_BYTES && !text.includes('\0');
}

/** @throws SignalboxError `spawn_failed` with a clearer message than the system's */
export function assertArguments(command: readonly string[]): void {
  for (const [index, argument] of command.entries()) {
    const bytes = Buffer.byteLength(argument);
    if (bytes <= MAX_ARGUMENT_BYTES) continue;
    throw new SignalboxError(
      'spawn_failed',
      `argument ${index} of ${command[0]} has ${bytes} bytes, and the system takes at most ${MAX_ARGUMENT_BYTES}: give the prompt by file or on standard input`,
      { details: { reason: 'invalid_spec' } },
    );
  }
}

/**
 * The environment of an attempt: Signalbox's variables over the configured ones.
 * @param url where agents reach Signalbox; null as long as it does not listen
 */
export function attemptEnvironment(
  request: RunRequest,
  url: string | null,
  promptFile: string,
  configured: Readonly<Record<string, string>>,
): Record<string, string> {
  // The trace of the attempt, not one that was configured.
  const { TRACESTATE: _state, BAGGAGE: _baggage, ...rest } = configured;
  return {
    ...(request.workspace === undefined ? rest : workspaceEnvironment(request.workspace, rest)),
    SIGNALBOX_URL: url ?? '',
    SIGNALBOX_PROJECT: request.project,
    SIGNALBOX_TASK_ID: request.task,
    SIGNALBOX_ATTEMPT: String(request.attempt),
    SIGNALBOX_AGENT_ID: request.agent,
    SIGNALBOX_TOKEN: request.token,
    SIGNALBOX_PROMPT_FILE: promptFile,
    TRACEPARENT: request.traceparent,
    ...(request.tracestate === undefined ? {} : { TRACESTATE: request.tracestate }),
  };
}

/** What would lead git of an agent from its worktree to another one. */
const GIT_PLACES: ReadonlySet<string> = new Set([
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_NAMESPACE',
]);

function workspaceEnvironment(
  { path, branch, target, base }: RunWorkspace,
  configured: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...Object.fromEntries(Object.entries(configured).filter(([name]) => !GIT_PLACES.has(name))),
    SIGNALBOX_WORKSPACE: path,
    SIGNALBOX_BASE: base,
    ...(branch === null ? {} : { SIGNALBOX_BRANCH: branch }),
    ...(target === null ? {} : { SIGNALBOX_TARGET: target }),
  };
}

/** The result of a run whose process ended like this. */
export function processResult(exit: ExitReport['exit'], okCodes: readonly number[]): RunResult {
  switch (exit.kind) {
    case 'exited':
      return { kind: 'exited', code: exit.code, ok: okCodes.includes(exit.code) };
    case 'signalled':
    case 'lost':
      return exit;
    case 'spawn_failed':
      return { kind: 'threw', error: exit.reason };
    default:
      return unreachable(exit, 'processResult');
  }
}
