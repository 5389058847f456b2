/** Messages of agents that were rejected. */
import { z } from 'zod';

/** A rejected message. */
export const rejectionRecordSchema = z.object({
  agent: z.string(),
  kind: z.string(),
  id: z.string(),
  code: z.string(),
  reason: z.string(),
  bytes: z.int().min(0),
  time: z.iso.datetime({ offset: true }),
});
export type RejectionRecord = z.output<typeof rejectionRecordSchema>;
