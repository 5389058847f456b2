/** An agent of the configuration: what it is (its driver), and how Signalbox runs it. */
import { z } from 'zod';
import { pathSchema, REVIEW_WORDS, reviewSchema, seconds, timeoutSchemas, whole } from './config-values.ts';
import { messageOf } from './errors.ts';
import { BACKGROUND_PROJECT, ID_PATTERN } from './ids.ts';

/** The placeholders that the `command` driver fills in. */
export const COMMAND_PLACEHOLDERS = [
  'prompt',
  'prompt_file',
  'task_id',
  'project',
  'attempt',
  'work_dir',
] as const;

/** What an agent gets of Signalbox's own environment where its `pass_env` says nothing. */
export const DEFAULT_PASS_ENV = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER', 'SHELL'] as const;

const idError = 'expected 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"';
/** Words of `review` are no ids: they say there that no agent reviews. */
export const configuredIdSchema = z
  .string(idError)
  .regex(ID_PATTERN, idError)
  .regex(new RegExp(`^(?!(?:${REVIEW_WORDS.join('|')})$)`), 'expected an id that is no word of review')
  .regex(new RegExp(`^(?!${BACKGROUND_PROJECT}$)`), 'expected another id: this one runs background commands');

const variableError = 'expected the name of a variable, and none of SIGNALBOX_*, which Signalbox sets itself';
const variableSchema = z.string(variableError).regex(/^(?!SIGNALBOX_)[A-Za-z_][A-Za-z0-9_]*$/, variableError);

const common = {
  capabilities: z
    .array(z.string(idError).regex(ID_PATTERN, idError))
    .default([])
    .describe('The types of task that it can do.'),
  concurrency: whole(1, 10_000).default(1).describe('Attempts that it runs at the same time.'),
  timeout_seconds: timeoutSchemas.timeout_seconds.optional(),
  silence_timeout_seconds: timeoutSchemas.silence_timeout_seconds.optional(),
  kill_grace_seconds: timeoutSchemas.kill_grace_seconds.optional(),
  env: z.record(variableSchema, z.string('expected text')).default({}).describe('Variables to set, by name.'),
  pass_env: z
    .array(variableSchema)
    .default([...DEFAULT_PASS_ENV])
    .describe(
      'Variables to pass on from the environment of Signalbox. The list takes the place of the default one.',
    ),
  cwd: pathSchema.optional().describe('The directory to run in. Default: one of its own for each attempt.'),
  review: reviewSchema.optional(),
  prompt_language: z
    .enum(['en', 'zh'])
    .default('en')
    .describe('The language of its prompts: English or Chinese.'),
  max_output_bytes: whole(1).default(10_485_760).describe('How much of its output is kept, in bytes.'),
  output: z
    .enum(['stdout', 'none'])
    .default('stdout')
    .describe('What becomes the output where the agent has posted none: what it printed, or nothing.'),
  dry_run: z.boolean().default(false).describe('Everything happens but the start of the process.'),
};

const placeholderForms = new Map(COMMAND_PLACEHOLDERS.map((name) => [bare(name), name] as const));

function bare(name: string): string {
  return name.replaceAll(/[^A-Za-z]/g, '').toLowerCase();
}

/** A placeholder in another spelling would reach the program as it stands; other braces, and ${…}, may be meant for it. */
function misspelled(argument: string): string | undefined {
  for (const [, name = ''] of argument.matchAll(/(?<!\$)\{([A-Za-z_-]+)\}/g)) {
    const meant = placeholderForms.get(bare(name));
    if (meant !== undefined && meant !== name) return `{${name}} is no placeholder: write {${meant}}`;
  }
  return undefined;
}

const argumentSchema = z.string('expected text').superRefine((argument, context) => {
  const message = misspelled(argument);
  if (message !== undefined) context.addIssue(message);
});

const commandError =
  'expected a list with the program and its arguments, such as ["node", "agent.mjs", "{prompt_file}"]';
const commandSchema = z
  .array(argumentSchema, commandError)
  .min(1, commandError)
  .refine((command) => command[0] !== '', 'the first item is the program, and must not be empty')
  .describe(`The program and its arguments. Filled in: {${COMMAND_PLACEHOLDERS.join('}, {')}}.`);
const promptSchema = z
  .enum(['file', 'argument', 'stdin'])
  .default('file')
  .describe(
    'How the prompt is given: as a file ({prompt_file}), as an argument ({prompt}), or on standard input.',
  );

const patternError = 'expected a regular expression of JavaScript, such as "rate limit|quota exceeded"';
const patternSchema = z
  .string(patternError)
  .min(1, patternError)
  .superRefine((pattern, context) => {
    try {
      new RegExp(pattern, 'i');
    } catch (error) {
      context.addIssue(`${patternError}: ${messageOf(error)}`);
    }
  })
  .describe('A regular expression for a line of its output, without regard to case.');

const quotaSchema = z
  .strictObject({
    pattern: patternSchema,
    park_seconds: seconds()
      .default(3_600)
      .describe('How long to wait where the line names no time ("retry after 5 minutes", "resets at …").'),
  })
  .describe('How it says that its quota is used up. Then it gets no work for a while.');

const promptFacts = z.object({ command: commandSchema, prompt: promptSchema });

const commandAgentSchema = z
  .strictObject({
    driver: z.literal('command').describe('Starts a program for each attempt.'),
    command: commandSchema,
    prompt: promptSchema,
    quota: quotaSchema.optional(),
    ...common,
  })
  .superRefine(
    ({ command, prompt }, context) => {
      if (prompt !== 'argument' || command.some((argument) => argument.includes('{prompt}'))) return;
      context.addIssue({
        code: 'custom',
        path: ['prompt'],
        message: 'the command has no {prompt}, so the prompt would not reach the agent: add "{prompt}" to it',
      });
    },
    // Whatever else is wrong with the agent, this is told at once.
    { when: ({ value }) => promptFacts.safeParse(value).success },
  );

const dryRunAgentSchema = z.strictObject({
  driver: z.literal('dry_run').describe('Starts nothing: to try out the rest.'),
  ...common,
  dry_run: z.literal(true).default(true).describe('Always true: there is no process to start.'),
});

/** Its handler is code, and stands beside the configuration, by the agent's id. */
const functionAgentSchema = z.strictObject({ driver: z.literal('function'), ...common });

/** An agent as the library takes it: with the driver `function`, too. */
export const agentConfigSchema = z.discriminatedUnion('driver', [
  commandAgentSchema,
  dryRunAgentSchema,
  functionAgentSchema,
]);
export type AgentConfig = z.output<typeof agentConfigSchema>;
export type AgentConfigInput = z.input<typeof agentConfigSchema>;

const functionAgent = functionAgentSchema.pick({ driver: true }).loose();

/** An agent as a file can describe it. */
export const agentFileSchema = z.discriminatedUnion('driver', [commandAgentSchema, dryRunAgentSchema], {
  error: ({ code, input }) =>
    code === 'invalid_union' && functionAgent.safeParse(input).success
      ? 'expected command or dry_run (the handler of a function agent is code: give such an agent to the library)'
      : undefined,
});
