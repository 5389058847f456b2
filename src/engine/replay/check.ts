/** Today's machines on a recorded history: whether they would do again what is in the log. */
import { MACHINES } from '../../../machines/index.ts';
import { ActorHost, type Machines } from '../runtime/actor-host.ts';
import { type Divergence, divergenceOf } from '../runtime/divergence.ts';
import { readRecords } from './cursor.ts';
import type { EventSource } from './event-source.ts';

export interface CheckReport {
  /** Events that go as they were recorded, from the first on. */
  readonly events: number;
  /** The first one that would go otherwise; null where none would. */
  readonly divergence: Divergence | null;
}

/**
 * Sends the whole history to the machines, up to the first event that they would take otherwise.
 * @param machines others than today's, to see what a change of them would mean
 * @throws SignalboxError `log_corrupt`, `log_newer`, `nats_unavailable`
 */
export async function checkHistory(source: EventSource, machines: Machines = MACHINES): Promise<CheckReport> {
  const host = new ActorHost(machines);
  let events = 0;
  for await (const record of readRecords(source)) {
    const divergence = divergenceOf(record, host);
    if (divergence) return { events, divergence };
    events++;
  }
  return { events, divergence: null };
}
