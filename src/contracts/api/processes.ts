/** The processes of one attempt, for who draws them. */
import { z } from 'zod';

export const processTreeSchema = z.strictObject({
  /** Where the attempt runs, or ran; null before its start. */
  host: z.string().nullable(),
  /** Whether that is the machine of this Signalbox. */
  local: z.boolean(),
  /** Those that live, the first started first. Empty where it is over, runs elsewhere, or needs none of its own. */
  processes: z.array(
    z.strictObject({
      pid: z.int(),
      /** The one that started it, if that is among these; null at the top. */
      parent: z.int().nullable(),
      /** The beginning of its command line. */
      command: z.string(),
      /** CPU time of the process and of its children that it waited for. */
      cpu_ms: z.int(),
      /** In use now. */
      memory_bytes: z.int(),
      started_at: z.iso.datetime().nullable(),
    }),
  ),
});
export type ProcessTreeAnswer = z.output<typeof processTreeSchema>;
