/** The processes of one attempt. */
import { z } from 'zod';

export const processTreeSchema = z.strictObject({
  /** The host of the attempt; null before its start. */
  host: z.string().nullable(),
  /** Whether that is the machine of this Signalbox. */
  local: z.boolean(),
  /** Running processes, the oldest first. Empty if the attempt is over, runs elsewhere, or needs no process. */
  processes: z.array(
    z.strictObject({
      pid: z.int(),
      /** Its parent process, if that is in this list; else null. */
      parent: z.int().nullable(),
      /** The beginning of its command line. */
      command: z.string(),
      /** CPU time of the process and of the children that it waited for. */
      cpu_ms: z.int(),
      /** In use now. */
      memory_bytes: z.int(),
      started_at: z.iso.datetime().nullable(),
    }),
  ),
});
export type ProcessTreeAnswer = z.output<typeof processTreeSchema>;
