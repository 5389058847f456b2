/**
 * The agent of background commands: each task is a shell command, run like any other program.
 *
 * It runs only tasks of the background project, which only an operator can create. However a command ends, its result is
 * written as JSON beside its output, and the end of its output goes into the log with the name of the complete file.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFresh } from '../base/regular-files.ts';
import { firstLine } from '../base/text/printable.ts';
import { BACKGROUND_AGENT, backgroundParamsSchema, OUTPUT_BYTES } from '../contracts/api/background.ts';
import { messageOf, SignalboxError, unreachable } from '../contracts/errors.ts';
import { BACKGROUND_PROJECT } from '../contracts/ids.ts';
import { tailOf } from '../process/files/tail.ts';
import { commandProgram } from './command.ts';
import type { Adoption, Driver, Run, RunEnd, RunRequest } from './driver.ts';
import { ProgramDriver, type ProgramServices } from './program-driver.ts';

export interface BackgroundDriverOptions extends ProgramServices {
  /** The environment of the commands, without what Signalbox adds. */
  readonly env: Readonly<Record<string, string>>;
  readonly maxOutputBytes: number;
}

type Params = ReturnType<typeof backgroundParamsSchema.parse>;

/** Beside the directory of the process. */
const RESULT_FILE = 'result.json';
const MAX_TITLE_LENGTH = 60;

export class BackgroundDriver implements Driver {
  readonly name = 'background';
  /** A command is not an agent: it reports nothing about its task. */
  readonly writesBack = false;
  readonly adoptable = true;
  readonly #options: BackgroundDriverOptions;

  constructor(options: BackgroundDriverOptions) {
    this.#options = options;
  }

  async start(request: RunRequest): Promise<Run> {
    const params = paramsOf(request);
    const run = await this.#shell(params).start(withScript(request, params));
    return this.#reporting(run, request, params);
  }

  async adopt(request: RunRequest): Promise<Adoption> {
    const params = paramsOf(request);
    const adoption = await this.#shell(params).adopt(withScript(request, params));
    switch (adoption.kind) {
      case 'running':
        return { kind: 'running', run: this.#reporting(adoption.run, request, params) };
      case 'ended':
        return { ...adoption, end: await this.#reported(adoption.end, request, params) };
      case 'starting':
      case 'never_started':
        return adoption;
      default:
        return unreachable(adoption, 'adopt');
    }
  }

  #shell({ cwd }: Params): ProgramDriver {
    const { env, maxOutputBytes, ...services } = this.#options;
    const command = ['/bin/sh', '{prompt_file}'];
    const settings = { command, prompt: 'file', cwd, env, output: 'none', maxOutputBytes } as const;
    return new ProgramDriver(services, commandProgram(settings));
  }

  #reporting(run: Run, request: RunRequest, params: Params): Run {
    return { ...run, ended: run.ended.then((end) => this.#reported(end, request, params)) };
  }

  async #reported(end: RunEnd, request: RunRequest, params: Params): Promise<RunEnd> {
    const { task, agent, directory } = request;
    const file = join(directory, 'process', 'stdout.log');
    const content = await tailOf(file, OUTPUT_BYTES).catch(
      (error: unknown) => `(cannot read its output: ${messageOf(error)})`,
    );
    const { result, evidence } = end;
    const report = { task_id: task, ...params, result, output: content, output_file: file, evidence };
    const unwritten = await writeResult(join(directory, RESULT_FILE), report);
    const title = `Output of "${firstLine(params.command, MAX_TITLE_LENGTH)}"`;
    return {
      ...end,
      outputs: content === '' ? [] : [{ type: 'data', title, content, agent }],
      ...(unwritten !== null && { evidence: { ...evidence, resultUnwritten: unwritten } }),
    };
  }
}

/** @throws SignalboxError `spawn_failed` for a task that is not a background command */
function paramsOf({ project, agent, spec }: RunRequest): Params {
  const params = backgroundParamsSchema.safeParse(spec.params);
  if (project === BACKGROUND_PROJECT && agent === BACKGROUND_AGENT && params.success) return params.data;
  throw new SignalboxError('spawn_failed', `a task of project ${project} is not a background command`);
}

/** The shell reads the command from the prompt file, so it can have any length, and braces are not placeholders. */
function withScript(request: RunRequest, { command }: Params): RunRequest {
  return { ...request, prompt: () => `exec 2>&1\n${command}\n` };
}

/** @returns why the file could not be written, or null; the end of the process is recorded in both cases */
async function writeResult(file: string, content: object): Promise<string | null> {
  try {
    await writeFresh(`${file}.tmp`, `${JSON.stringify(content, null, 2)}\n`);
    await rename(`${file}.tmp`, file);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
