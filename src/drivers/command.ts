/**
 * Any program as an agent: the prompt by file, argument or standard input; the result by writing back, or by what it
 * printed.
 */
import { join } from 'node:path';
import { unreachable } from '../contracts/errors.ts';
import type { Output } from '../contracts/tasks.ts';
import { tailOf } from '../process/files/tail.ts';
import type { RunOrder } from './driver.ts';
import { processResult } from './process-result.ts';
import type { Place, Program } from './program.ts';
import { MESSAGES_TAIL, ProgramDriver, type ProgramDriverOptions } from './program-driver.ts';
import { type QuotaSettings, quotaSign } from './quota.ts';

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

export interface CommandDriverOptions extends ProgramDriverOptions {
  readonly settings: CommandSettings;
}

/** Bytes of standard output that become an output. */
const STDOUT_OUTPUT = 256 * 1_024;

export class CommandDriver extends ProgramDriver {
  constructor({ settings, ...options }: CommandDriverOptions) {
    super(options, commandProgram(settings));
  }
}

function commandProgram(settings: CommandSettings): Program {
  const { command, prompt, env, cwd, maxOutputBytes, quota } = settings;
  return {
    name: 'command',
    prompting: { isPublic: command.some((word) => word.includes('{prompt}')), passesEnvironment: true },
    resumes: false,
    env,
    cwd,
    maxOutputBytes,
    invocation: (order, place) => ({
      command: command.map((word) => fillIn(word, order, place)),
      stdin: prompt === 'stdin' ? place.promptFile : undefined,
    }),
    read: async ({ directory, exit, endedAt, stderrTail }, order) => {
      const result = processResult(exit, [0]);
      const texts = async (): Promise<string[]> => [
        stderrTail,
        await tailOf(join(directory, 'stdout.log'), MESSAGES_TAIL),
      ];
      return {
        result,
        outputs:
          result.kind === 'exited' && result.ok === true ? await printed(settings, directory, order) : [],
        quota: quota === undefined ? undefined : quotaSign(quota, await texts(), endedAt),
      };
    },
  };
}

async function printed(
  { output }: CommandSettings,
  directory: string,
  { agent }: RunOrder,
): Promise<Output[]> {
  if (output === 'none') return [];
  const content = await tailOf(join(directory, 'stdout.log'), STDOUT_OUTPUT);
  if (content.trim() === '') return [];
  return [{ type: 'other', title: `Standard output of ${agent}`, content, agent }];
}

const PLACEHOLDERS = ['prompt', 'prompt_file', 'task_id', 'project', 'attempt', 'work_dir'] as const;

function fillIn(word: string, order: RunOrder, place: Place): string {
  const value = (name: (typeof PLACEHOLDERS)[number]): string => {
    switch (name) {
      case 'prompt':
        return order.prompt();
      case 'prompt_file':
        return place.promptFile;
      case 'task_id':
        return order.task;
      case 'project':
        return order.project;
      case 'attempt':
        return String(order.attempt);
      case 'work_dir':
        return place.workDirectory;
      default:
        return unreachable(name, 'fillIn');
    }
  };
  return word.replaceAll(/\{([a-z_]+)\}/g, (all, found: string) => {
    const name = PLACEHOLDERS.find((each) => each === found);
    return name === undefined ? all : value(name);
  });
}
