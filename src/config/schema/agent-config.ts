/** An agent of the configuration: what it is (its driver), and how Signalbox runs it. */
import { z } from 'zod';
import {
  pathSchema,
  REVIEW_WORDS,
  reviewSchema,
  seconds,
  timeoutSchemas,
  whole,
} from '../../contracts/config-values.ts';
import { messageOf } from '../../contracts/errors.ts';
import { BACKGROUND_PROJECT, ID_PATTERN } from '../../contracts/ids.ts';
import { READY_DRIVER_NAMES } from '../../drivers/ready/index.ts';

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

/** An agent whose driver is data: one that comes along, or one of the section `drivers`. */
const declaredAgentSchema = (names: readonly string[]) =>
  z.strictObject({
    driver: z.enum(names).describe('A program for each attempt, as its driver describes it.'),
    args: z
      .array(z.string('expected text'), 'expected a list of arguments')
      .default([])
      .describe('Arguments beside those of the driver.'),
    options: z
      .record(z.string(), z.string('expected text'))
      .default({})
      .describe('Options of the driver, such as model; "signalbox driver show" tells which it has.'),
    session: z
      .enum(['resume', 'new'])
      .default('resume')
      .describe('Whether a retry goes on with the session of the attempt before it, where the tool can.'),
    quota: quotaSchema.optional(),
    ...common,
  });

const urlError = 'expected a URL that begins with ws:// or wss://';
/** A subagent, or a full agent, inside an OpenClaw Gateway. */
const gatewayAgentSchema = z.strictObject({
  driver: z.literal('openclaw-gateway').describe('A run inside an OpenClaw Gateway, over its WebSocket.'),
  url: z
    .url({ protocol: /^wss?$/, error: urlError })
    .default('ws://127.0.0.1:18789')
    .describe('Where the Gateway listens.'),
  token_env: variableSchema
    .default('OPENCLAW_GATEWAY_TOKEN')
    .describe("The variable of Signalbox's own environment that holds the Gateway's token."),
  mode: z
    .enum(['subagent', 'agent', 'sessions_spawn'])
    .default('subagent')
    .describe(
      'A subagent, the full agent, or a subagent by the tool sessions_spawn, which the Gateway must allow.',
    ),
  agent_id: z
    .string(idError)
    .regex(ID_PATTERN, idError)
    .default('main')
    .describe('The agent of the Gateway.'),
  model: z.string('expected text').optional(),
  thinking: z.string('expected text').optional(),
  session: z
    .enum(['resume', 'new'])
    .default('resume')
    .describe('Whether a retry goes on with the session before it.'),
  ...common,
});

const dryRunAgentSchema = z.strictObject({
  driver: z.literal('dry_run').describe('Starts nothing: to try out the rest.'),
  ...common,
  dry_run: z.literal(true).default(true).describe('Always true: there is no process to start.'),
});

const {
  env: _env,
  pass_env: _pass,
  cwd: _cwd,
  max_output_bytes: _max,
  output: _output,
  ...anywhere
} = common;

/** What its process gets and leaves is settled where it runs. */
const remoteAgentSchema = z
  .strictObject({
    driver: z
      .literal('remote')
      .describe('Runs on other machines: its workers take its tasks from a queue in NATS.'),
    ...anywhere,
    heartbeat_seconds: seconds().default(10).describe('How often its workers have to report.'),
    offline_after_seconds: seconds()
      .default(60)
      .describe('How long a worker may be silent, before it counts as gone, and what it did as lost.'),
    queue_seconds: seconds()
      .default(300)
      .describe('How long a task that it was given may wait for a worker.'),
  })
  .refine(({ heartbeat_seconds, offline_after_seconds }) => offline_after_seconds >= 2 * heartbeat_seconds, {
    path: ['offline_after_seconds'],
    message: 'expected at least two times heartbeat_seconds, so that one lost heartbeat is no loss',
  });

/** Its handler is code, and stands beside the configuration, by the agent's id. */
const functionAgentSchema = z.strictObject({ driver: z.literal('function'), ...common });

/** An agent as the library takes it: with the driver `function`, too. @param names the drivers that are data */
export function agentConfigSchemaFor(names: readonly string[]) {
  return z.discriminatedUnion('driver', [
    commandAgentSchema,
    declaredAgentSchema(names).transform(asDeclared),
    gatewayAgentSchema,
    dryRunAgentSchema,
    remoteAgentSchema,
    functionAgentSchema,
  ]);
}
export const agentConfigSchema = agentConfigSchemaFor(READY_DRIVER_NAMES);
export type AgentConfig = z.output<typeof agentConfigSchema>;
export type AgentConfigInput = z.input<typeof agentConfigSchema>;

/** Which driver it has is a name; that it has one of these, a word that the compiler knows. */
function asDeclared({ driver, ...agent }: z.output<ReturnType<typeof declaredAgentSchema>>) {
  return { ...agent, driver: 'declared' as const, uses: driver };
}

const functionAgent = functionAgentSchema.pick({ driver: true }).loose();

/** An agent as a file can describe it. @param names the drivers that are data */
export function agentFileSchemaFor(names: readonly string[]) {
  const options = ['command', ...names, 'openclaw-gateway', 'dry_run', 'remote'];
  const words = `${options.slice(0, -1).join(', ')} or ${options.at(-1)}`;
  return z.discriminatedUnion(
    'driver',
    [
      commandAgentSchema,
      declaredAgentSchema(names).transform(asDeclared),
      gatewayAgentSchema,
      dryRunAgentSchema,
      remoteAgentSchema,
    ],
    {
      error: ({ code, input }) =>
        code === 'invalid_union' && functionAgent.safeParse(input).success
          ? `expected ${words} (the handler of a function agent is code: give such an agent to the library)`
          : undefined,
    },
  );
}
