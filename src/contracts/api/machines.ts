/** The state machines as graphs. */
import { z } from 'zod';
import { ENTITY_KINDS } from '../events/events.ts';

export const machineGraphSchema = z.strictObject({
  /** The kind of entity. */
  name: z.enum(ENTITY_KINDS),
  states: z.array(
    z.strictObject({
      name: z.string(),
      /** `initial`: before the first event. `final`: no transition leaves it. */
      kind: z.enum(['initial', 'normal', 'final']),
    }),
  ),
  /** Those that change the state, in the order in which the machine tries them. */
  transitions: z.array(
    z.strictObject({
      from: z.string(),
      to: z.string(),
      /** Type of the event. */
      event: z.string(),
      /** Name of the condition. Of several transitions for one event the first whose condition holds counts. */
      guard: z.string().nullable(),
    }),
  ),
});
export type MachineGraphAnswer = z.output<typeof machineGraphSchema>;

export const machineListSchema = z.strictObject({ machines: z.array(machineGraphSchema) });
