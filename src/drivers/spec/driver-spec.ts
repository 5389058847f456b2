/**
 * A driver as data: how a program is started on a prompt, and where its answer stands in what it prints.
 *
 * D1 A program is believed when its exit code and its result say the same: neither counts alone.
 * D2 Nothing secret stands in an argument: the token goes by environment, by file or by standard input.
 */
import { z } from 'zod';
import { seconds, whole } from '../../contracts/config-values.ts';
import { messageOf } from '../../contracts/errors.ts';
import { parseCondition, parsePath } from './json-path.ts';

/** The placeholders of a declared driver, beside its own options. `{args}` is an item of its own. */
export const DRIVER_PLACEHOLDERS = [
  'prompt',
  'prompt_file',
  'session_id',
  'work_dir',
  'cwd',
  'agent',
  'project',
  'task_id',
  'attempt',
  'url',
  'timeout_seconds',
  'run_id',
  'args',
] as const;

function parsed(parse: (text: string) => unknown, error: string) {
  return z
    .string(error)
    .min(1, error)
    .superRefine((text, context) => {
      try {
        parse(text);
      } catch (thrown) {
        context.addIssue(messageOf(thrown));
      }
    });
}

const pathSchema = parsed(parsePath, 'expected a path, such as result.payloads[].text');
const conditionSchema = parsed(
  parseCondition,
  'expected a condition, such as "type=result & is_error!=true"',
);
const conditionsSchema = z.array(conditionSchema, 'expected a list of conditions, of which one has to hold');

const finderSchema = z.strictObject({
  path: pathSchema,
  when: conditionSchema.optional().describe('The events in which to look. Default: all.'),
  take: z
    .enum(['last', 'first', 'join', 'sum'])
    .optional()
    .describe('Which of several: the last (default), the first, all as one text, or their sum.'),
  cumulative: z
    .boolean()
    .optional()
    .describe('For a usage: the program counts the whole session, also what earlier attempts have used.'),
});
export type Finder = z.output<typeof finderSchema>;

const placeSchema = z.union([pathSchema, finderSchema]);
/** One place, or several, of which the first that holds something counts. */
const placesSchema = z.union([placeSchema, z.array(placeSchema).min(1)]);
export type Places = z.output<typeof placesSchema>;

export const outputSpecSchema = z.strictObject({
  format: z
    .enum(['json', 'jsonl', 'text'])
    .describe('One JSON document, one JSON event on each line, or plain text.'),
  result: conditionsSchema.optional().describe('One of these has to hold, or there was no result.'),
  failed: conditionsSchema
    .optional()
    .describe('One of these holds: the result is a failure, whatever the exit code.'),
  text: placesSchema.optional().describe('The answer.'),
  session: placesSchema.optional().describe('The session, by which a later attempt goes on.'),
  error: placesSchema.optional().describe('What went wrong.'),
  usage: z
    .strictObject({
      input_tokens: placesSchema.optional(),
      output_tokens: placesSchema.optional(),
      cost_usd: placesSchema.optional(),
    })
    .optional()
    .describe('What it has used.'),
});
export type OutputSpec = z.output<typeof outputSpecSchema>;

const argumentSchema = z.union([
  z.string('expected text'),
  z.array(z.string('expected text')).min(1).describe('Left out where an option in it has no value.'),
]);
const argumentsSchema = z.array(argumentSchema, 'expected a list of arguments');
export type Arguments = z.output<typeof argumentsSchema>;

const largePromptSchema = z.strictObject({
  by: z.enum(['stdin', 'file']),
  args: argumentsSchema.optional(),
  resume_args: argumentsSchema.optional(),
});

const settleSchema = z.strictObject({
  when: conditionsSchema.describe(
    'The run was taken on elsewhere, and the program does not know how it ended.',
  ),
  run_id: placesSchema.describe('What the run is called there: {run_id} in the arguments below.'),
  wait: argumentsSchema.describe('Arguments that wait for its end.'),
  abort: argumentsSchema.optional().describe('Arguments that end it.'),
  running: conditionsSchema.describe('It is still going on: wait again.'),
  output: outputSpecSchema,
});
export type SettleSpec = z.output<typeof settleSchema>;

const text = z.string('expected text');
const variableNames = z.array(text);

/** The keys of a driver, each of which may come from its `base` instead. No defaults here, so that a base shows through. */
const driverFields = {
  description: text.optional().describe('One line for people.'),
  version: text.optional().describe('The version of the program that this was made for.'),
  program: text.min(1).optional().describe('The program: a path, or a name to look up in the PATH.'),
  args: argumentsSchema.optional().describe('Its arguments; {args} is where those of the agent go.'),
  resume_args: argumentsSchema
    .optional()
    .describe('Its arguments where it goes on with a session. Default: args.'),
  options: z
    .record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'expected a name of a-z, 0-9 and "_"'), text.nullable())
    .optional()
    .describe('Placeholders that an agent may set, each with its default, or null for none.'),
  prompt: z.enum(['stdin', 'file', 'argument']).optional().describe('How the prompt is given.'),
  large_prompt: largePromptSchema
    .optional()
    .describe('How it is given where it is too large for an argument.'),
  session: z
    .enum(['caller', 'output', 'none'])
    .optional()
    .describe('Who names the session: Signalbox (a UUID), or the program in its output; or there is none.'),
  output: outputSpecSchema.optional().describe('Where the answer stands.'),
  ok_exit_codes: z
    .array(whole(0, 255))
    .min(1)
    .optional()
    .describe('The exit codes of a success. Default: 0.'),
  exit_codes: z.record(z.string().regex(/^\d+$/), text).optional().describe('What other exit codes mean.'),
  settle: settleSchema.optional().describe('How to find out what became of a run that goes on elsewhere.'),
  env: z.record(z.string(), text).optional().describe('Variables to set.'),
  pass_env: variableNames.optional().describe('Variables to pass on beside those of the agent.'),
  unset_env: variableNames.optional().describe('Variables that it must not see.'),
  passes_env: z
    .boolean()
    .optional()
    .describe('Whether its tools see its environment. If not, the prompt says everything. Default: true.'),
  linger_seconds: seconds().optional().describe('How long its process may stay after its result.'),
};

/** A driver of the configuration: a new one, or what is to be different from its base. */
export const driverConfigSchema = z.strictObject({
  base: z.string('expected the name of a driver').optional().describe('The driver that it is made from.'),
  ...driverFields,
});
export type DriverConfig = z.output<typeof driverConfigSchema>;

/** A driver with nothing left open. */
export interface DriverSpec {
  readonly name: string;
  readonly description: string;
  readonly version: string | undefined;
  readonly program: string;
  readonly args: Arguments;
  readonly resume_args: Arguments;
  readonly options: Readonly<Record<string, string | null>>;
  readonly prompt: 'stdin' | 'file' | 'argument';
  readonly large_prompt: DriverConfig['large_prompt'];
  readonly session: 'caller' | 'output' | 'none';
  readonly output: OutputSpec;
  readonly ok_exit_codes: readonly number[];
  readonly exit_codes: Readonly<Record<string, string>>;
  readonly settle: SettleSpec | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly pass_env: readonly string[];
  readonly unset_env: readonly string[];
  readonly passes_env: boolean;
  readonly linger_seconds: number | undefined;
}
