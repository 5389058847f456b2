/** A driver in code: its options in the configuration as a schema, and how it is made from them. */
import { z } from 'zod';
import type { Variables } from '../base/environment.ts';
import { pathSchema, reviewSchema, seconds, timeoutSchemas, whole } from '../contracts/config-values.ts';
import { messageOf } from '../contracts/errors.ts';
import { ID_PATTERN } from '../contracts/ids.ts';
import { PERMISSION_DECISIONS } from '../contracts/questions.ts';
import { APPROVAL_MODES } from '../contracts/workspaces.ts';
import type { ProcessRunner } from '../process/runner.ts';
import type { DriverConfig } from './declared/spec.ts';
import type { Driver } from './driver.ts';
import type { FunctionHandler } from './function.ts';

/** What drivers are made with. */
export interface DriverServices {
  readonly runner: ProcessRunner;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Where agents reach Signalbox; null as long as it does not listen. */
  readonly url: () => string | null;
  /** Distinguishes the processes and sessions of this data directory from those of another. */
  readonly installation: string;
  /** Signalbox's own environment, of which agents get what their configuration passes on. */
  readonly env: Variables;
  /** The section `drivers` of the configuration. */
  readonly drivers: Readonly<Record<string, DriverConfig>>;
  /** Handlers of function agents, by agent id. */
  readonly functions: Readonly<Record<string, FunctionHandler>>;
  /** The drivers of remote agents, by agent id. */
  readonly remoteDriverOf: (agent: string) => Driver | undefined;
}

/** What every agent of the configuration has, whatever its driver. */
export interface ConfiguredAgent {
  readonly id: string;
  readonly driver: string;
  readonly dry_run: boolean;
}

/** A row of `signalbox driver ls`. */
export interface DriverListing {
  readonly program: string;
  readonly prompt: string;
  readonly session: string;
  readonly output: string;
  readonly description: string;
}

interface Definition<Schema extends z.ZodObject> {
  readonly name: string;
  /** An agent with this driver in the configuration; its key `driver` is the name. */
  readonly schema: Schema;
  /** @throws SignalboxError `config_invalid` */
  readonly create: (agent: z.output<Schema> & ConfiguredAgent, services: DriverServices) => Driver;
  /** Null for a driver that only the library can use, because its agents need code. */
  readonly listing: DriverListing | null;
}

/** A driver for the list in index.ts, which is the only other file that names it. */
export function defineDriver<Schema extends z.ZodObject>(definition: Definition<Schema>) {
  const isOwn = (agent: ConfiguredAgent): agent is ConfiguredAgent & z.output<Schema> =>
    agent.driver === definition.name;
  return {
    ...definition,
    /** Undefined for an agent of another driver. @throws SignalboxError `config_invalid` */
    createFor: (agent: ConfiguredAgent, services: DriverServices): Driver | undefined =>
      isOwn(agent) ? definition.create(agent, services) : undefined,
  };
}

/** The variables of its own environment that Signalbox passes on if an agent has no `pass_env`. */
export const DEFAULT_PASS_ENV = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER', 'SHELL'] as const;

/** The variables with these names, of those that are set. */
export function pickEnvironment(
  names: readonly string[],
  env: DriverServices['env'],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

const idError = 'expected 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"';
export const idSchema = z.string(idError).regex(ID_PATTERN, idError);
export const textSchema = z.string('expected text');

const variableError = 'expected the name of a variable, and none of SIGNALBOX_*, which Signalbox sets itself';
export const variableSchema = z
  .string(variableError)
  .regex(/^(?!SIGNALBOX_)[A-Za-z_][A-Za-z0-9_]*$/, variableError);

const parkError = 'expected a number of seconds from 0 (at once), at most 31536000';
const keepaliveError = 'expected a number of seconds from 1, at most 31536000';
const globError = 'expected a name, in which "*" stands for any text';
const permissionRuleConfigSchema = z.strictObject({
  tool: z.string(globError).min(1, globError).describe('The tool; "*" stands for any text.'),
  input: z
    .string(globError)
    .optional()
    .describe(
      'Its command, path or address, or its whole input as JSON; "*" stands for any text. In a rule that allows, ' +
        'it does not stand for characters that chain commands, such as ";" or "|". Default: any input.',
    ),
  decision: z.enum(PERMISSION_DECISIONS).describe('ask, allow or deny.'),
});

/** Options of agents that run on any machine. */
export const commonOptions = {
  capabilities: z.array(idSchema).default([]).describe('The types of task that it can do.'),
  concurrency: whole(1, 10_000).default(1).describe('Attempts that it runs at the same time.'),
  timeout_seconds: timeoutSchemas.timeout_seconds.optional(),
  silence_timeout_seconds: timeoutSchemas.silence_timeout_seconds.optional(),
  kill_grace_seconds: timeoutSchemas.kill_grace_seconds.optional(),
  review: reviewSchema.optional(),
  prompt_language: z
    .enum(['en', 'zh'])
    .default('en')
    .describe('The language of its prompts: English or Chinese.'),
  dry_run: z.boolean().default(false).describe('Do everything except start the process.'),
  park_after_seconds: z
    .number(parkError)
    .min(0, parkError)
    .max(31_536_000, parkError)
    .optional()
    .describe(
      'How long its process waits for an answer before it is ended, which frees its slot; the answer starts it again. ' +
        'Default: it waits.',
    ),
  question_keepalive_seconds: z
    .number(keepaliveError)
    .min(1, keepaliveError)
    .max(31_536_000, keepaliveError)
    .default(300)
    .describe(
      'An open question suspends the time limit while the agent asks for its answer at least this often. If nothing of ' +
        'the agent does, as after a kill of the process that waited, its time counts again; the question stays open.',
    ),
  permissions: z
    .strictObject({
      default: z
        .enum(PERMISSION_DECISIONS)
        .default('ask')
        .describe('What applies if no rule matches: ask, allow or deny.'),
      rules: z
        .array(permissionRuleConfigSchema, 'expected a list of rules')
        .default([])
        .describe('The first rule that matches decides.'),
    })
    .prefault({})
    .describe('Which permissions that it asks for are given without a person.'),
  answered_by: idSchema
    .optional()
    .describe(
      'Another agent that answers its questions, unless a person does first: it gets a task for each.',
    ),
};

const branchError = 'expected the name of a branch with {task} in it: without it, two tasks would share one';
const commandError = 'expected a program and its arguments, as a list';

/** The key `workspace` of an agent. */
export const workspaceConfigSchema = z
  .strictObject({
    kind: z
      .literal('worktree', 'expected worktree')
      .default('worktree')
      .describe('A worktree of git for each task, kept over its attempts.'),
    repository: pathSchema.describe('The repository: its directory, or that of one of its worktrees.'),
    base: z
      .string('expected a branch or a commit')
      .regex(/^[^-\s][^\s]{0,250}$/, 'expected a branch or a commit')
      .optional()
      .describe(
        'The branch or commit at which the work begins. Default: the branch that the repository has checked out.',
      ),
    branch: z
      .string(branchError)
      .max(180, branchError)
      .regex(/^[^-\s][^\s]*$/, branchError)
      .refine((name) => name.includes('{task}'), branchError)
      .default('signalbox/{project}/{task}')
      .describe('The branch of a task; {project} and {task} stand for the ids.'),
    setup: z
      .array(
        z.array(z.string(commandError).min(1, commandError)).min(1, commandError),
        'expected a list of commands',
      )
      .max(20)
      .default([])
      .describe('Commands that prepare a new worktree, such as [npm, ci].'),
    setup_timeout_seconds: seconds().default(600).describe('How long all of them may take together.'),
    on_approve: z
      .enum(['none', ...APPROVAL_MODES])
      .default('none')
      .describe(
        'What an approval does with the work: merge (a merge commit on the base), squash (one commit), or none. A conflict goes back to the agent.',
      ),
    keep_days: z
      .number('expected a number of days')
      .min(0, 'expected a number of days of at least 0')
      .max(3_650, 'expected at most 3650 days')
      .default(7)
      .describe(
        'How long a worktree is kept after its task is settled. One with work that is nowhere else stays.',
      ),
  })
  .describe('Gives each task of the agent a worktree of its own. Not together with cwd.');
export type WorkspaceConfig = z.output<typeof workspaceConfigSchema>;

/** Options of agents that run on this machine. */
export const localOptions = {
  ...commonOptions,
  env: z.record(variableSchema, textSchema).default({}).describe('Variables to set, by name.'),
  pass_env: z
    .array(variableSchema)
    .default([...DEFAULT_PASS_ENV])
    .describe('Variables to pass on from the environment of Signalbox. Replaces the default list.'),
  cwd: pathSchema.optional().describe('The directory to run in. Default: a new one for each attempt.'),
  max_output_bytes: whole(1).default(10_485_760).describe('How much of its output is kept, in bytes.'),
  output: z
    .enum(['stdout', 'none'])
    .default('stdout')
    .describe('What becomes the output if the agent has posted none: what it printed, or nothing.'),
};

/** Options of agents that are programs on this machine. */
export const programOptions = { ...localOptions, workspace: workspaceConfigSchema.optional() };

export const sessionSchema = z
  .enum(['resume', 'new'])
  .default('resume')
  .describe('Whether a retry continues the session of the attempt before it, if the tool can.');

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
  .describe(
    'A regular expression for a line of its output, beside the known texts; case does not matter. One that takes more than 50 ms is not applied, and the evidence of the attempt says so.',
  );

export const quotaSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Whether the texts that tools print for a used-up quota are understood. Default: with a ready driver.',
      ),
    pattern: patternSchema.optional(),
    park_seconds: seconds()
      .default(3_600)
      .describe(
        'How long to wait if the line names no time, or one that is more than 8 days away. Such a text parks for 8 days at most.',
      ),
  })
  .describe(
    'How it says that its quota is used up. Then it gets no work for a while, and the attempt does not count.',
  );
