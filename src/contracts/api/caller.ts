/** What the caller may do. */
import { z } from 'zod';

export const RIGHTS = [
  /** Operators, observers, and attempts in their own project. */
  'read',
  /** Operators, and attempts in their own project. */
  'create',
  /** Operators, and the attempt itself. */
  'comment',
  /** The attempt itself. */
  'speak',
  /** Operators, and the attempt that reviews the task. */
  'decide',
  'operate',
] as const;

export type Right = (typeof RIGHTS)[number];

export const callerSchema = z.strictObject({
  actor: z.string().meta({ description: '`user:<name>` or `agent:<id>`, as in the log' }),
  may: z
    .array(z.enum(RIGHTS))
    .meta({ description: 'an attempt has these rights for its own task or in its own project only' }),
});

export type CallerAnswer = z.infer<typeof callerSchema>;
