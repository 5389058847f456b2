/** The machines as graphs, for who draws them. */
import { z } from 'zod';
import { ENTITY_KINDS } from '../events/events.ts';

export const machineGraphSchema = z.strictObject({
  /** Whose life it is. */
  name: z.enum(ENTITY_KINDS),
  states: z.array(
    z.strictObject({
      name: z.string(),
      /** `initial`: before the first event. `final`: nothing leads out of it any more. */
      kind: z.enum(['initial', 'normal', 'final']),
    }),
  ),
  /** Those that change the state, in the order in which the machine looks at them. */
  transitions: z.array(
    z.strictObject({
      from: z.string(),
      to: z.string(),
      /** Type of the event. */
      event: z.string(),
      /** Name of the condition; of several for one event the first that holds counts. */
      guard: z.string().nullable(),
    }),
  ),
});
export type MachineGraphAnswer = z.output<typeof machineGraphSchema>;

export const machineListSchema = z.strictObject({ machines: z.array(machineGraphSchema) });
