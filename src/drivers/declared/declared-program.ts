/** A program as a driver of data describes it: its arguments, and what its output comes to. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { tailOf } from '../../process/files/tail.ts';
import { fitsArgument } from '../argument-limit.ts';
import type { RunOrder, RunResult } from '../driver.ts';
import { processResult } from '../process-result.ts';
import type { EndedOutput, Invocation, Place, Program, ProgramEnd, Settling } from '../program.ts';
import { MESSAGES_TAIL } from '../program-driver.ts';
import { type QuotaSettings, quotaSign } from '../quota.ts';
import type { Arguments, DriverSpec } from '../spec/driver-spec.ts';
import { type ArgumentValues, fillArguments } from './arguments.ts';
import { type Reading, readOutput } from './reading.ts';
import { stdoutOf } from './stdout-stream.ts';
import { usageOf } from './usage.ts';

export interface DeclaredSettings {
  readonly spec: DriverSpec;
  /** The agent's own arguments and options. */
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  /** The environment without what Signalbox adds. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  readonly maxOutputBytes: number;
  /** Whether what it said becomes an output where it has posted none. */
  readonly output: 'stdout' | 'none';
  readonly resume: boolean;
  readonly url: () => string | null;
  /** Makes the names of sessions differ from those of another Signalbox. */
  readonly installation: string;
  readonly quota?: QuotaSettings | undefined;
}

export function declaredProgram(settings: DeclaredSettings): Program {
  const { spec, cwd, maxOutputBytes, resume } = settings;
  const tellsResult = spec.output.format !== 'text' && spec.output.result !== undefined;
  return {
    name: spec.name,
    prompting: { isPublic: spec.prompt === 'argument', passesEnvironment: spec.passes_env },
    resumes: resume && spec.session !== 'none',
    lingerMs: spec.linger_seconds === undefined ? undefined : spec.linger_seconds * 1_000,
    env: environmentOf(settings),
    cwd,
    maxOutputBytes,
    invocation: (order, place) => invocationOf(settings, order, place),
    read: (ended, order) => readEnd(settings, ended, order),
    sessionOf: (order) => sessionOf(settings, order),
    ...(tellsResult ? { hasResult: (directory: string) => hasResult(spec, directory) } : {}),
    settling: settlingOf(settings),
  };
}

function environmentOf({ spec, env }: DeclaredSettings): Record<string, string> {
  const hidden = new Set(spec.unset_env);
  return Object.fromEntries(Object.entries({ ...spec.env, ...env }).filter(([name]) => !hidden.has(name)));
}

function invocationOf(settings: DeclaredSettings, order: RunOrder, place: Place): Invocation {
  const { spec } = settings;
  const isLarge = spec.prompt === 'argument' && !fitsArgument(order.prompt());
  const large = isLarge ? spec.large_prompt : undefined;
  const by = large?.by ?? spec.prompt;
  const args =
    order.resumes === null
      ? (large?.args ?? spec.args)
      : (large?.resume_args ?? large?.args ?? spec.resume_args);
  const prompt = by === 'argument' ? order.prompt() : '';
  return {
    command: commandOf(settings, args, { ...valuesOf(settings, order, place), prompt }),
    stdin: by === 'stdin' ? place.promptFile : undefined,
  };
}

function commandOf(
  { spec, args: extra }: DeclaredSettings,
  args: Arguments,
  values: ArgumentValues,
): string[] {
  return [spec.program, ...fillArguments(args, values, extra)];
}

function valuesOf(settings: DeclaredSettings, order: RunOrder, place: Place): ArgumentValues {
  return {
    ...settings.spec.options,
    ...settings.options,
    prompt_file: place.promptFile,
    session_id: sessionOf(settings, order) ?? '',
    work_dir: place.workDirectory,
    cwd: place.workDirectory,
    agent: order.agent,
    project: order.project,
    task_id: order.task,
    attempt: String(order.attempt),
    url: settings.url() ?? '',
    timeout_seconds: String(Math.ceil(order.timeoutMs / 1_000)),
  };
}

/** The same for an attempt at every look at it, so that nothing has to be remembered. */
function sessionOf({ spec, installation }: DeclaredSettings, order: RunOrder): string | undefined {
  if (order.resumes !== null) return order.resumes.session;
  if (spec.session !== 'caller') return undefined;
  const { project, task, attempt } = order;
  const bytes = createHash('sha256')
    .update(`${installation}:${project}/${task}/${attempt}`)
    .digest()
    .subarray(0, 16);
  // In the form of version 4, since a tool may take no other.
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

async function hasResult(spec: DriverSpec, directory: string): Promise<boolean> {
  const reading = await readOutput(stdoutOf(directory), { output: spec.output, settle: spec.settle });
  return reading.status !== 'nothing' && reading.unsettled === undefined;
}

async function readEnd(settings: DeclaredSettings, ended: EndedOutput, order: RunOrder): Promise<ProgramEnd> {
  const { spec, quota } = settings;
  const reading = await readOutput(stdoutOf(ended.directory), { output: spec.output, settle: spec.settle });
  const result = processResult(ended.exit, spec.ok_exit_codes);
  const failure = failureOf(spec, reading, result);
  const texts = async (): Promise<string[]> => [
    reading.error ?? '',
    ended.stderrTail,
    await tailOf(join(ended.directory, 'stdout.log'), MESSAGES_TAIL),
  ];
  return {
    result,
    failure,
    outputs: reading.status === 'ok' && isOwnEnd(result) ? outputsOf(settings, reading, order) : [],
    usage: usageOf(reading.usage, order.resumes?.usage),
    session: sessionAfter(settings, reading, result, order),
    quota: quota === undefined ? undefined : quotaSign(quota, await texts(), ended.endedAt),
    unsettled: reading.unsettled,
    evidence: { result: { status: reading.status, events: reading.events, ignored: reading.ignored } },
  };
}

/** It ended well, or was ended after its result: what it said then counts. */
function isOwnEnd(result: RunResult): boolean {
  return result.kind === 'signalled' || (result.kind === 'exited' && result.ok === true);
}

function failureOf(spec: DriverSpec, reading: Reading, result: RunResult): string | undefined {
  const meaning = result.kind === 'exited' ? spec.exit_codes[String(result.code)] : undefined;
  switch (reading.status) {
    case 'failed':
      return reading.error ?? meaning ?? 'its result says that it failed, and not why';
    case 'nothing':
      // Whoever was stopped before its result may have said by other ways that it is through.
      if (result.kind === 'signalled') return undefined;
      return reading.error ?? meaning ?? withoutResult(spec, reading);
    case 'ok':
      return result.kind === 'exited' && result.ok !== true
        ? (meaning ?? 'its result says that it succeeded')
        : undefined;
  }
}

function withoutResult({ output, program }: DriverSpec, { events, ignored }: Reading): string {
  if (output.format === 'text') return `${program} printed nothing`;
  const seen =
    output.format === 'jsonl'
      ? ` (${events} events, ${ignored} lines that are none)`
      : events > 0
        ? ' (a JSON document of another form)'
        : '';
  return `the output of ${program} has no result that can be read${seen}`;
}

function outputsOf(
  { output }: DeclaredSettings,
  { text }: Reading,
  { agent, spec }: RunOrder,
): ProgramEnd['outputs'] {
  if (output === 'none' || text === undefined || text.trim() === '') return [];
  return [{ type: 'document', title: spec.title, content: text, agent }];
}

/** null where the session has shown itself to be of no use: it said nothing, and ended by itself. */
function sessionAfter(
  settings: DeclaredSettings,
  reading: Reading,
  result: RunResult,
  order: RunOrder,
): string | null | undefined {
  const { spec } = settings;
  if (spec.session === 'none') return undefined;
  const named =
    spec.session === 'caller' ? sessionOf(settings, order) : (reading.session ?? order.resumes?.session);
  if (result.kind === 'exited' && reading.status === 'nothing' && reading.session === undefined) return null;
  return result.kind === 'threw' ? null : named;
}

function settlingOf(settings: DeclaredSettings): Settling | undefined {
  const { settle, name, program } = settings.spec;
  if (!settle) return undefined;
  const invoke = (args: Arguments, order: RunOrder, place: Place, run: string): Invocation => ({
    command: [program, ...fillArguments(args, { ...valuesOf(settings, order, place), run_id: run }, [])],
  });
  return {
    wait: (order, place, run) => invoke(settle.wait, order, place, run),
    abort: (order, place, run) => (settle.abort ? invoke(settle.abort, order, place, run) : null),
    read: async (directory, order) => {
      const rules = { output: settle.output, settle: { when: settle.running, run_id: settle.run_id } };
      const reading = await readOutput(stdoutOf(directory), rules);
      if (reading.unsettled !== undefined || reading.status === 'nothing') return null;
      const isOk = reading.status === 'ok';
      const error = `its run went on without ${name}, and failed: ${reading.error ?? 'nobody says why'}`;
      return {
        result: isOk ? { kind: 'returned' } : { kind: 'threw', error },
        outputs: isOk ? outputsOf(settings, reading, order) : [],
        session: sessionOf(settings, order),
        evidence: { settled: true },
      };
    },
  };
}
