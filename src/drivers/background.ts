/**
 * The built-in agent of background commands: a shell command of its own for each task, run like any other program.
 *
 * K1 It runs nothing but tasks of the background project, which only an operator can create.
 * K2 However a command ends, its result is written beside its output as JSON, and the end of what it printed goes into
 *    the log; the rest is named there, not lost.
 */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BACKGROUND_AGENT, backgroundParamsSchema, OUTPUT_BYTES } from '../contracts/api/background.ts';
import { messageOf, SignalboxError, unreachable } from '../contracts/errors.ts';
import { BACKGROUND_PROJECT } from '../contracts/ids.ts';
import { tailOf } from '../process/files/tail.ts';
import type { ProcessRunner } from '../process/runner.ts';
import { CommandDriver } from './command.ts';
import type { Adoption, Driver, Run, RunEnd, RunOrder } from './driver.ts';

export interface BackgroundDriverOptions {
  readonly runner: ProcessRunner;
  readonly url: () => string | null;
  readonly installation: string;
  /** The environment of the commands, without what Signalbox adds. */
  readonly env: Readonly<Record<string, string>>;
  readonly maxOutputBytes: number;
}

type Params = ReturnType<typeof backgroundParamsSchema.parse>;

export class BackgroundDriver implements Driver {
  readonly name = 'background';
  /** A command is no agent: it has nothing to say of its task. */
  readonly writesBack = false;
  readonly adoptable = true;
  readonly #options: BackgroundDriverOptions;

  constructor(options: BackgroundDriverOptions) {
    this.#options = options;
  }

  async start(order: RunOrder): Promise<Run> {
    const params = paramsOf(order);
    const run = await this.#shell(params).start(scripted(order, params));
    return this.#reporting(run, order, params);
  }

  async adopt(order: RunOrder): Promise<Adoption> {
    const params = paramsOf(order);
    const adoption = await this.#shell(params).adopt(scripted(order, params));
    switch (adoption.kind) {
      case 'running':
        return { kind: 'running', run: this.#reporting(adoption.run, order, params) };
      case 'ended':
        return { ...adoption, end: await this.#reported(adoption.end, order, params) };
      case 'never_started':
        return adoption;
      default:
        return unreachable(adoption, 'adopt');
    }
  }

  #shell({ cwd }: Params): CommandDriver {
    const { runner, url, installation, env, maxOutputBytes } = this.#options;
    return new CommandDriver({
      runner,
      url,
      installation,
      settings: {
        command: ['/bin/sh', '{prompt_file}'],
        prompt: 'file',
        cwd,
        env,
        output: 'none',
        maxOutputBytes,
      },
    });
  }

  #reporting(run: Run, order: RunOrder, params: Params): Run {
    return { ...run, ended: run.ended.then((end) => this.#reported(end, order, params)) };
  }

  async #reported(end: RunEnd, order: RunOrder, params: Params): Promise<RunEnd> {
    const file = join(order.directory, 'process', 'stdout.log');
    const content = await tailOf(file, OUTPUT_BYTES).catch(
      (error: unknown) => `(what it printed cannot be read: ${messageOf(error)})`,
    );
    const result = { task_id: order.task, ...params, result: end.result, output: content, output_file: file };
    const unwritten = await writeWhole(join(order.directory, RESULT_FILE), {
      ...result,
      evidence: end.evidence,
    });
    const title = `What "${titleOf(params.command)}" has printed`;
    return {
      ...end,
      outputs: content === '' ? [] : [{ type: 'data', title, content, agent: order.agent }],
      ...(unwritten !== null && { evidence: { ...end.evidence, resultUnwritten: unwritten } }),
    };
  }
}

/** Beside the directory of the process. */
const RESULT_FILE = 'result.json';
const TITLE_LENGTH = 60;

function titleOf(command: string): string {
  const [line = ''] = command.trim().split('\n', 1);
  return line.length <= TITLE_LENGTH ? line : `${line.slice(0, TITLE_LENGTH - 1)}…`;
}

/** @throws SignalboxError `spawn_failed` for a task that is no background command */
function paramsOf({ project, agent, spec }: RunOrder): Params {
  const params = backgroundParamsSchema.safeParse(spec.params);
  if (project === BACKGROUND_PROJECT && agent === BACKGROUND_AGENT && params.success) return params.data;
  throw new SignalboxError('spawn_failed', `a task of project ${project} is no background command`);
}

/** The command is what stands in the file that the shell gets: no length is too long, and no brace is a placeholder. */
function scripted(order: RunOrder, { command }: Params): RunOrder {
  return { ...order, prompt: () => `exec 2>&1\n${command}\n` };
}

/** @returns why it could not be written; the end of a process is to be recorded all the same */
async function writeWhole(file: string, content: object): Promise<string | null> {
  try {
    await writeFile(`${file}.tmp`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    await rename(`${file}.tmp`, file);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
