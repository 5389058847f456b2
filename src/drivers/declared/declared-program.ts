/** Drivers as data: agents that have one, and the program that such a driver describes. */
import { z } from 'zod';
import { derivedUuid } from '../../base/derived-uuid.ts';
import { attemptKey } from '../../contracts/ids.ts';
import { PROTOCOLS } from '../conversation/index.ts';
import type { Protocol } from '../conversation/protocol.ts';
import {
  type ConfiguredAgent,
  type DriverServices,
  programOptions,
  quotaSchema,
  sessionSchema,
  textSchema,
} from '../definition.ts';
import type { Driver, RunRequest, RunResult } from '../driver.ts';
import {
  type AttemptFiles,
  type EndedOutput,
  fitsArgument,
  type Invocation,
  type Program,
  type ProgramEnd,
  type ProgramSettings,
  processResult,
  programSettings,
  type QuotaReading,
  quotaIn,
} from '../program.ts';
import { ProgramDriver } from '../program-driver.ts';
import { type ArgumentValues, fillArguments } from './arguments.ts';
import { failureOf, hasExited, lostItsSession, lostOutput, resultOfSpoken } from './failure.ts';
import { usageOf } from './finders.ts';
import { stdoutOf } from './json-output.ts';
import { type OutputReading, readOutput, textOf } from './reading.ts';
import { resolveDriver } from './resolve-driver.ts';
import type { Arguments, DriverSpec } from './spec.ts';
import { mcpValues, namesMcpServer, variablesOf, without } from './surroundings.ts';

/**
 * An agent whose driver is data: a bundled one, or one of the section `drivers`. Its name becomes `uses`, and `driver`
 * becomes `declared`, which the compiler can tell from the names of drivers in code.
 * @param names the drivers that are data
 */
export function declaredAgentSchema(names: readonly string[]) {
  return z
    .strictObject({
      driver: z.enum(names).describe('A program for each attempt, as its driver describes it.'),
      args: z
        .array(textSchema, 'expected a list of arguments')
        .default([])
        .describe('Arguments in addition to those of the driver.'),
      options: z
        .record(z.string(), textSchema)
        .default({})
        .describe('Options of the driver, such as model; "signalbox driver show" lists them.'),
      session: sessionSchema,
      quota: quotaSchema.prefault({}),
      ...programOptions,
    })
    .transform(({ driver, ...agent }) => ({ ...agent, driver: 'declared' as const, uses: driver }));
}
type DeclaredAgent = z.output<ReturnType<typeof declaredAgentSchema>>;

/** The driver of an agent that has one as data; undefined for an agent of another driver. */
export function createDeclaredDriver(agent: ConfiguredAgent, services: DriverServices): Driver | undefined {
  if (!isDeclared(agent)) return undefined;
  const { args, options, session } = agent;
  const { drivers, url, installation } = services;
  const spec = resolveDriver(drivers, agent.uses);
  const settings = programSettings(agent, services, spec.pass_env);
  return new ProgramDriver(
    services,
    declaredProgram({ ...settings, spec, args, options, resume: session === 'resume', url, installation }),
  );
}

function isDeclared(agent: ConfiguredAgent): agent is ConfiguredAgent & DeclaredAgent {
  return agent.driver === 'declared';
}

export interface DeclaredSettings
  extends ProgramSettings,
    Pick<DeclaredAgent, 'args' | 'options'>,
    Pick<DriverServices, 'url' | 'installation'> {
  readonly spec: DriverSpec;
  readonly resume: boolean;
}

export function declaredProgram(settings: DeclaredSettings): Program {
  const { spec, resume } = settings;
  const protocol = protocolOf(settings);
  const tellsResult = spec.output.format !== 'text' && spec.output.result !== undefined;
  return {
    name: spec.name,
    transcript: spec.transcript,
    settings: { ...settings, env: environmentOf(settings) },
    // A program that is spoken to repeats its prompt in its output, which is kept.
    prompting: {
      isPublic: spec.prompt === 'argument' || protocol !== undefined,
      passesEnvironment: spec.passes_env,
    },
    resumes: resume && spec.session !== 'none',
    lingerMs: spec.linger_seconds === undefined ? undefined : spec.linger_seconds * 1_000,
    invocation: (request, files) => invocationOf(settings, request, files),
    read: (ended, request) => readEnd(settings, ended, request),
    sessionOf: (request) => sessionOf(settings, request),
    ...(protocol && { protocol }),
    ...(tellsResult ? { hasResult: (directory: string) => hasResult(spec, directory) } : {}),
    ...(spec.settle && { settling: settlingOf(settings) }),
  };
}

function protocolOf({ spec, options }: DeclaredSettings): Protocol | undefined {
  if (spec.conversation === 'none') return undefined;
  const answerMs = spec.answer_seconds * 1_000;
  const hasMcpServer = namesMcpServer(spec);
  return PROTOCOLS[spec.conversation]({ options: { ...spec.options, ...options }, answerMs, hasMcpServer });
}

/** Its places tell, or its protocol. */
function readingOf(
  settings: DeclaredSettings,
  directory: string,
  request: RunRequest,
): Promise<OutputReading> {
  const { output, settle } = settings.spec;
  const pieces = stdoutOf(directory);
  return protocolOf(settings)?.read?.(pieces, request) ?? readOutput(pieces, { output, settle });
}

function environmentOf({ spec, env }: DeclaredSettings): Record<string, string> {
  return without(spec.unset_env, env);
}

function invocationOf(settings: DeclaredSettings, request: RunRequest, files: AttemptFiles): Invocation {
  const { spec } = settings;
  const isLarge = spec.prompt === 'argument' && !fitsArgument(request.prompt());
  const large = isLarge ? spec.large_prompt : undefined;
  const by = large?.by ?? spec.prompt;
  const args =
    request.resumes === null
      ? (large?.args ?? spec.args)
      : (large?.resume_args ?? large?.args ?? spec.resume_args);
  const prompt = by === 'argument' ? request.prompt() : '';
  const values = { ...valuesOf(settings, request, files), prompt };
  return {
    command: [spec.program, ...fillArguments(args, values, settings.args)],
    stdin: by === 'stdin' ? files.promptFile : undefined,
    env: variablesOf(spec, values),
  };
}

function valuesOf(settings: DeclaredSettings, request: RunRequest, files: AttemptFiles): ArgumentValues {
  return {
    ...settings.spec.options,
    ...settings.options,
    prompt_file: files.promptFile,
    session_id: sessionOf(settings, request) ?? '',
    work_dir: files.workDirectory,
    cwd: files.workDirectory,
    agent: request.agent,
    project: request.project,
    task_id: request.task,
    attempt: String(request.attempt),
    url: settings.url() ?? '',
    ...mcpValues(settings.url()),
    timeout_seconds: String(Math.ceil(request.timeoutMs / 1_000)),
  };
}

/** Always the same for an attempt, so that nothing has to be stored. */
function sessionOf({ spec, installation }: DeclaredSettings, request: RunRequest): string | undefined {
  if (request.resumes !== null) return request.resumes.session;
  if (spec.session !== 'caller') return undefined;
  return derivedUuid(`${installation}:${attemptKey(request)}`);
}

async function hasResult(spec: DriverSpec, directory: string): Promise<boolean> {
  const reading = await readOutput(stdoutOf(directory), { output: spec.output, settle: spec.settle });
  return reading.status !== 'nothing' && reading.unsettled === undefined;
}

async function readEnd(
  settings: DeclaredSettings,
  ended: EndedOutput,
  request: RunRequest,
): Promise<ProgramEnd> {
  const { spec } = settings;
  const model = settings.options.model ?? spec.options.model ?? undefined;
  const reading = await readingOf(settings, ended.directory, request);
  const processEnd = processResult(ended.exit, spec.ok_exit_codes);
  const result = protocolOf(settings)?.read ? resultOfSpoken(processEnd, reading, ended) : processEnd;
  const lost = lostOutput(reading, ended, settings.maxOutputBytes);
  const isGone = lostItsSession(spec, reading, request, ended);
  const failure = await failureOf(spec, reading, result, ended, lost);
  const { quota, evidence }: QuotaReading =
    reading.status === 'ok' ? {} : await quotaIn(settings, ended, reading.error);
  const isAnswer = reading.status === 'ok' && isOwnEnd(result);
  const text =
    spec.output.format === 'text' ? await textOf(ended.directory, settings.maxOutputBytes) : reading.text;
  return {
    result,
    failure: isGone ? `${failure ?? 'no reason given'} (${NEXT_IS_NEW})` : failure,
    outputs: isAnswer ? outputsOf(settings, { ...reading, text, lost }, request) : [],
    usage: usageOf(reading.usage, request.resumes?.usage, model),
    session: isGone ? null : sessionAfter(settings, reading, result, request),
    quota,
    unsettled: reading.unsettled,
    evidence: { result: evidenceOf(reading), ...evidence },
  };
}

const NEXT_IS_NEW = 'the session cannot be continued: the next attempt starts a new one';

function evidenceOf({ status, events, ignored, warning }: OutputReading) {
  return { status, events, ignored, ...(warning !== undefined && { warning }) };
}

/** It succeeded, or was ended after its result: then what it said counts. */
function isOwnEnd(result: RunResult): boolean {
  return (
    result.kind === 'signalled' ||
    result.kind === 'returned' ||
    (result.kind === 'exited' && result.ok === true)
  );
}

type Answer = Pick<OutputReading, 'text' | 'warning'> & {
  /** What of the output could not be read. */
  readonly lost?: string | undefined;
};

function outputsOf(
  { output }: DeclaredSettings,
  { text, warning, lost }: Answer,
  { agent, spec }: RunRequest,
): ProgramEnd['outputs'] {
  if (output === 'none' || text === undefined || text.trim() === '') return [];
  const notes = [
    ...(warning === undefined ? [] : [`It warned: ${warning}`]),
    ...(lost === undefined ? [] : [`A part may be missing: ${lost}`]),
  ];
  const summary = notes.length === 0 ? undefined : notes.join('\n');
  return [
    { type: 'document', title: spec.title, content: text, ...(summary !== undefined && { summary }), agent },
  ];
}

/**
 * Null if the session must not be used again: the program exited by itself without a result. One that was stopped has had
 * no chance to give a result, and its session is on the disk.
 */
function sessionAfter(
  settings: DeclaredSettings,
  reading: OutputReading,
  result: RunResult,
  request: RunRequest,
): string | null | undefined {
  const { spec } = settings;
  if (spec.session === 'none') return undefined;
  const named =
    spec.session === 'caller' ? sessionOf(settings, request) : (reading.session ?? request.resumes?.session);
  if (hasExited(result) && reading.status === 'nothing' && reading.session === undefined) return null;
  return result.kind === 'threw' ? null : named;
}

function settlingOf(settings: DeclaredSettings): Program['settling'] {
  const { spec } = settings;
  const { settle, name, program } = spec;
  if (!settle) return undefined;
  return (request, files, run) => {
    const invoke = (args: Arguments): Invocation => {
      const values = { ...valuesOf(settings, request, files), run_id: run };
      const command = [program, ...fillArguments(args, values, [])];
      return { command, env: variablesOf(spec, values) };
    };
    const rules = { output: settle.output, settle: { when: settle.running, run_id: settle.run_id } };
    return {
      wait: () => invoke(settle.wait),
      abort: () => (settle.abort ? invoke(settle.abort) : null),
      read: async (directory) => {
        const reading = await readOutput(stdoutOf(directory), rules);
        if (reading.unsettled !== undefined || reading.status === 'nothing') return null;
        const isOk = reading.status === 'ok';
        const error = `its run went on without ${name} and failed: ${reading.error ?? 'no reason given'}`;
        return {
          result: isOk ? { kind: 'returned' } : { kind: 'threw', error },
          outputs: isOk ? outputsOf(settings, reading, request) : [],
          session: sessionOf(settings, request),
          evidence: { settled: true },
        };
      },
    };
  };
}
