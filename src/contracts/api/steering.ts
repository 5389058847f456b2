/** Messages of users to agents, in answers. */
import { z } from 'zod';
import { time } from '../fields.ts';
import { STEERING_WAYS } from '../tasks.ts';

export const steeringAnswerSchema = z.strictObject({
  id: z.string(),
  text: z.string(),
  by: z.string(),
  time,
  /** null until the agent has it. */
  delivered: z.strictObject({ attempt: z.int().min(1), by: z.enum(STEERING_WAYS), time }).nullable(),
});
export type SteeringAnswer = z.output<typeof steeringAnswerSchema>;

export const steeringListSchema = z.strictObject({ messages: z.array(steeringAnswerSchema) });
