/** Messages of users to agents over the operations. */
import { z } from 'zod';
import { time } from '../fields.ts';
import { STEERING_WAYS } from '../tasks.ts';

export const steerSchema = z.strictObject({
  by: z.string().trim().min(1).max(100).optional(),
  text: z.string().trim().min(1).max(20_000),
});
export type Steer = z.output<typeof steerSchema>;

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
