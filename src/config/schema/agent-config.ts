/** An agent of the configuration: its driver, and how Signalbox runs it. Derived from the list of drivers. */
import { z } from 'zod';
import { REVIEW_MODES } from '../../contracts/config-values.ts';
import { BACKGROUND_PROJECT } from '../../contracts/ids.ts';
import { BUNDLED_DRIVER_NAMES } from '../../drivers/bundled/index.ts';
import { declaredAgentSchema } from '../../drivers/declared/declared-program.ts';
import { idSchema } from '../../drivers/definition.ts';
import { CODE_DRIVERS } from '../../drivers/index.ts';

/** An id of the configuration: not a review mode, since `review` may name an agent. */
export const configuredIdSchema = idSchema
  .regex(new RegExp(`^(?!(?:${REVIEW_MODES.join('|')})$)`), 'must not be a reserved review mode')
  .regex(
    new RegExp(`^(?!${BACKGROUND_PROJECT}$)`),
    'expected another id: this one is used for background commands',
  );

// Drivers that are data come second in messages and in the JSON Schema.
const [first, ...others] = CODE_DRIVERS;

/** An agent as the library takes it, also with the driver `function`. @param names the drivers that are data */
export function agentConfigSchemaFor(names: readonly string[]) {
  const schemas = others.map(({ schema }) => schema);
  return z.discriminatedUnion('driver', [first.schema, declaredAgentSchema(names), ...schemas]);
}
export const agentConfigSchema = agentConfigSchemaFor(BUNDLED_DRIVER_NAMES);
export type AgentConfig = z.output<typeof agentConfigSchema>;

const libraryAgent = z.looseObject({
  driver: z.enum(CODE_DRIVERS.filter(({ listing }) => listing === null).map(({ name }) => name)),
});

/** An agent as a file can describe it. @param names the drivers that are data */
export function agentFileSchemaFor(names: readonly string[]) {
  const inFile = others.filter(({ listing }) => listing !== null);
  const options = [first.name, ...names, ...inFile.map(({ name }) => name)];
  const alternatives = `${options.slice(0, -1).join(', ')} or ${options.at(-1)}`;
  const schemas = inFile.map(({ schema }) => schema);
  return z.discriminatedUnion('driver', [first.schema, declaredAgentSchema(names), ...schemas], {
    error: ({ code, input }) =>
      code === 'invalid_union' && libraryAgent.safeParse(input).success
        ? `expected ${alternatives} (the handler of a function agent is code: give such an agent to the library)`
        : undefined,
  });
}
