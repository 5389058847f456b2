/**
 * A driver as data: how a program is started on a prompt, and where in its output the answer is.
 *
 * A run succeeds only if both its exit code and its result say so. No argument contains a secret: the
 * token is passed by environment, by file or on standard input.
 */
import { z } from 'zod';
import { seconds, whole } from '../../contracts/config-values.ts';
import { messageOf } from '../../contracts/errors.ts';
import { TRANSCRIPT_FORMATS } from '../../contracts/transcript/schemas.ts';
import { PROTOCOL_NAMES } from '../conversation/names.ts';
import { parseCondition, parsePath } from './json-path.ts';

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
const conditionsSchema = z.array(conditionSchema, 'expected a list of conditions, one of which has to hold');

const finderSchema = z.strictObject({
  path: pathSchema,
  when: conditionSchema.optional().describe('The events in which to look. Default: all.'),
  take: z
    .enum(['last', 'first', 'join', 'sum'])
    .optional()
    .describe('Which of several values: the last (default), the first, all as one text, or their sum.'),
  cumulative: z
    .boolean()
    .optional()
    .describe('For a usage: the program counts the whole session, including earlier attempts.'),
  plus: z.array(pathSchema).optional().describe('For a usage: numbers to add to it.'),
  minus: z.array(pathSchema).optional().describe('For a usage: numbers to take away from it.'),
});

const placeSchema = z.union([pathSchema, finderSchema]);
/** One place, or several: the first that holds something counts. */
const placesSchema = z.union([placeSchema, z.array(placeSchema).min(1)]);
export type Places = z.output<typeof placesSchema>;

export const outputSpecSchema = z.strictObject({
  format: z
    .enum(['json', 'jsonl', 'text'])
    .describe('One JSON document, one JSON event on each line, or plain text.'),
  result: conditionsSchema.optional().describe('One of these has to hold, or there is no result.'),
  failed: conditionsSchema
    .optional()
    .describe('If one of these holds, the result is a failure, whatever the exit code.'),
  text: placesSchema.optional().describe('The answer.'),
  session: placesSchema.optional().describe('The session that a later attempt can continue.'),
  error: placesSchema.optional().describe('What went wrong.'),
  warning: placesSchema.optional().describe('What it warns of; shown with its answer, too.'),
  usage: z
    .strictObject({
      model: placesSchema
        .optional()
        .describe('The model that it has used. Default: the option "model" of the agent.'),
      input_tokens: placesSchema
        .optional()
        .describe('All tokens that the model has read, those of its cache included.'),
      output_tokens: placesSchema
        .optional()
        .describe('All tokens that it has written, its reasoning included.'),
      cache_read_tokens: placesSchema.optional().describe('Input tokens that were read from the cache.'),
      cache_write_tokens: placesSchema.optional().describe('Input tokens that were written to the cache.'),
      cost_usd: placesSchema.optional(),
    })
    .optional()
    .describe('What it has used.'),
});
export type OutputSpec = z.output<typeof outputSpecSchema>;

const argumentSchema = z.union([
  z.string('expected text'),
  z.array(z.string('expected text')).min(1).describe('Left out if an option in it has no value.'),
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
    'The run continues outside the process, and the program does not know how it ends.',
  ),
  run_id: placesSchema.describe('The name of the run there: {run_id} in the arguments below.'),
  wait: argumentsSchema.describe('Arguments that wait for its end.'),
  abort: argumentsSchema.optional().describe('Arguments that end it.'),
  running: conditionsSchema.describe('The run is not over: wait again.'),
  output: outputSpecSchema,
});
const text = z.string('expected text');
const variableNames = z.array(text);

const driverSchema = z.strictObject({
  description: text.describe('One line for people.'),
  version: text.optional().describe('The version of the program that the driver was made for.'),
  program: text.min(1).describe('The program: a path, or a name to look up in the PATH.'),
  args: argumentsSchema.describe("Its arguments; {args} is replaced by the agent's own arguments."),
  resume_args: argumentsSchema.describe('Its arguments for continuing a session. Default: args.'),
  options: z
    .record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'expected a name of a-z, 0-9 and "_"'), text.nullable())
    .describe('Placeholders that an agent may set, each with its default, or null for none.'),
  prompt: z.enum(['stdin', 'file', 'argument']).describe('How the prompt is given.'),
  large_prompt: largePromptSchema
    .optional()
    .describe('How a prompt is given that is too large for an argument.'),
  session: z
    .enum(['caller', 'output', 'none'])
    .describe('Who names the session: Signalbox (a UUID), or the program in its output; or there is none.'),
  output: outputSpecSchema.describe('Where the answer is.'),
  conversation: z
    .enum(['none', ...PROTOCOL_NAMES])
    .describe(
      'The protocol by which it asks, and takes messages while it runs: JSON lines over its standard input, which stays ' +
        'open, and its output. The prompt is then its first message. Default: none.',
    ),
  transcript: z
    .enum(TRANSCRIPT_FORMATS)
    .describe(
      'The format in which it prints what it says and does, for the live transcript. Default: text, each line as it is.',
    ),
  ok_exit_codes: z.array(whole(0, 255)).min(1).describe('The exit codes of a success. Default: 0.'),
  exit_codes: z.record(z.string().regex(/^\d+$/), text).describe('What other exit codes mean.'),
  settle: settleSchema
    .optional()
    .describe('How to find out how a run ended that continues outside its process.'),
  env: z
    .record(z.string(), text)
    .describe('Variables to set, with placeholders as in args. Left out if an option in it has no value.'),
  pass_env: variableNames.describe('Variables to pass on in addition to those of the agent.'),
  unset_env: variableNames.describe('Variables that it must not see.'),
  passes_env: z
    .boolean()
    .describe('Whether its tools see its environment. If not, the prompt says everything. Default: true.'),
  answer_seconds: seconds().describe(
    'How long a program with a conversation may take for an answer that needs no model. Default: 120.',
  ),
  linger_seconds: seconds().optional().describe('How long its process may stay after its result.'),
});

/**
 * A driver of the configuration: a new one, or the keys in which it differs from its base. It has no defaults, so that the
 * keys of the base count.
 */
export const driverConfigSchema = z.strictObject({
  base: z
    .string('expected the name of a driver')
    .optional()
    .describe('The driver that it is based on, key by key.'),
  ...driverSchema.partial().shape,
});
export type DriverConfig = z.output<typeof driverConfigSchema>;

/** A driver with its defaults. */
export type DriverSpec = Readonly<z.output<typeof driverSchema>> & { readonly name: string };
