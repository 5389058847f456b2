/** Any agent that speaks the Agent Client Protocol over its standard input and output, by its command. */
import { z } from 'zod';
import { acpBase } from './bundled/acp.ts';
import { declaredProgram } from './declared/declared-program.ts';
import { resolveDriver } from './declared/resolve-driver.ts';
import { defineDriver, localOptions, quotaSchema, sessionSchema, textSchema } from './definition.ts';
import { programSettings } from './program.ts';
import { ProgramDriver } from './program-driver.ts';

const commandError = 'expected a list with the program and its arguments, such as ["opencode", "acp"]';

export const acpDriver = defineDriver({
  name: 'acp',
  schema: z.strictObject({
    driver: z
      .literal('acp')
      .describe('Starts a program for each attempt, and speaks the Agent Client Protocol with it.'),
    command: z
      .array(textSchema, commandError)
      .min(1, commandError)
      .refine(([program]) => program !== '', 'the first item is the program, and must not be empty')
      .describe('The program and its arguments, such as [opencode, acp].'),
    mode: textSchema
      .min(1)
      .optional()
      .describe('The mode of its session, such as plan; the agent names its modes.'),
    model: textSchema
      .min(1)
      .optional()
      .describe('The model, if the agent offers a choice over this protocol.'),
    session: sessionSchema,
    quota: quotaSchema.prefault({}),
    ...localOptions,
  }),
  create: (agent, services) => {
    const { command, mode = null, model = null, session } = agent;
    const [program, ...args] = command;
    const spec = resolveDriver({ acp: { ...acpBase, program, args, options: { mode, model } } }, 'acp');
    const { url, installation } = services;
    const settings = { ...programSettings(agent, services), url, installation };
    const resume = session === 'resume';
    return new ProgramDriver(services, declaredProgram({ ...settings, spec, args: [], options: {}, resume }));
  },
  listing: {
    program: 'any',
    prompt: 'conversation',
    session: 'output',
    output: 'jsonl',
    description: 'any agent that speaks the Agent Client Protocol, by its command',
  },
});
