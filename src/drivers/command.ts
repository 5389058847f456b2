/** Any program as an agent: the prompt by file, argument or standard input; the result by writing back or by its output. */
import { z } from 'zod';
import type { Output } from '../contracts/tasks.ts';
import { textOf } from './declared/reading.ts';
import { defineDriver, programOptions, quotaSchema, textSchema } from './definition.ts';
import type { RunRequest } from './driver.ts';
import {
  type AttemptFiles,
  type Program,
  type ProgramSettings,
  processResult,
  programSettings,
  quotaIn,
} from './program.ts';
import { ProgramDriver } from './program-driver.ts';

const PLACEHOLDERS: Readonly<Record<string, (request: RunRequest, files: AttemptFiles) => string>> = {
  prompt: ({ prompt }) => prompt(),
  prompt_file: (_request, { promptFile }) => promptFile,
  task_id: ({ task }) => task,
  project: ({ project }) => project,
  attempt: ({ attempt }) => String(attempt),
  work_dir: (_request, { workDirectory }) => workDirectory,
};

const bare = (name: string): string => name.replaceAll(/[^A-Za-z]/g, '').toLowerCase();
const placeholderForms = new Map(Object.keys(PLACEHOLDERS).map((name) => [bare(name), name]));

/** A misspelled placeholder would reach the program as it is; other braces, and ${…}, may be meant for the program. */
const argumentSchema = textSchema.superRefine((argument, context) => {
  for (const [, name = ''] of argument.matchAll(/(?<!\$)\{([A-Za-z_-]+)\}/g)) {
    const meant = placeholderForms.get(bare(name));
    if (meant === undefined || meant === name) continue;
    context.addIssue(`{${name}} is not a placeholder: write {${meant}}`);
    return;
  }
});

const commandError =
  'expected a list with the program and its arguments, such as ["node", "agent.mjs", "{prompt_file}"]';
const commandSchema = z
  .array(argumentSchema, commandError)
  .min(1, commandError)
  .refine((command) => command[0] !== '', 'the first item is the program, and must not be empty')
  .describe(`The program and its arguments. Placeholders: {${Object.keys(PLACEHOLDERS).join('}, {')}}.`);
const promptSchema = z
  .enum(['file', 'argument', 'stdin'])
  .default('file')
  .describe(
    'How the prompt is given: as a file ({prompt_file}), as an argument ({prompt}), or on standard input.',
  );

const promptFacts = z.object({ command: commandSchema, prompt: promptSchema });

export const commandDriver = defineDriver({
  name: 'command',
  schema: z
    .strictObject({
      driver: z.literal('command').describe('Starts a program for each attempt.'),
      ...promptFacts.shape,
      quota: quotaSchema.optional(),
      ...programOptions,
    })
    .superRefine(
      ({ command, prompt }, context) => {
        if (prompt !== 'argument' || command.some((argument) => argument.includes('{prompt}'))) return;
        context.addIssue({
          code: 'custom',
          path: ['prompt'],
          message:
            'the command has no {prompt}, so the prompt would not reach the agent: add "{prompt}" to it',
        });
      },
      // Reported together with the other errors of the agent.
      { when: ({ value }) => promptFacts.safeParse(value).success },
    ),
  create: (agent, services) => {
    const { command, prompt } = agent;
    return new ProgramDriver(
      services,
      commandProgram({ command, prompt, ...programSettings(agent, services) }),
    );
  },
  listing: {
    program: 'any',
    prompt: 'configured',
    session: 'none',
    output: 'text',
    description: 'any program, as the agent configures it',
  },
});

export interface CommandSettings extends ProgramSettings {
  /** Program and arguments, with placeholders. */
  readonly command: readonly string[];
  readonly prompt: 'file' | 'argument' | 'stdin';
}

export function commandProgram(settings: CommandSettings): Program {
  const { command, prompt } = settings;
  return {
    name: 'command',
    transcript: 'text',
    settings,
    prompting: { isPublic: command.some((each) => each.includes('{prompt}')), passesEnvironment: true },
    resumes: false,
    invocation: (request, files) => ({
      command: command.map((argument) =>
        argument.replaceAll(/\{([a-z_]+)\}/g, (all, name: string) =>
          Object.hasOwn(PLACEHOLDERS, name) ? (PLACEHOLDERS[name]?.(request, files) ?? all) : all,
        ),
      ),
      stdin: prompt === 'stdin' ? files.promptFile : undefined,
    }),
    read: async (ended, request) => {
      const result = processResult(ended.exit, [0]);
      const isOk = result.kind === 'exited' && result.ok === true;
      return {
        result,
        outputs: isOk ? await printed(settings, ended.directory, request) : [],
        ...(isOk ? {} : await quotaIn(settings, ended)),
      };
    },
  };
}

async function printed(
  { output, maxOutputBytes }: ProgramSettings,
  directory: string,
  { agent }: RunRequest,
): Promise<Output[]> {
  if (output === 'none') return [];
  const content = await textOf(directory, maxOutputBytes);
  if (content.trim() === '') return [];
  return [{ type: 'other', title: `Standard output of ${agent}`, content, agent }];
}
