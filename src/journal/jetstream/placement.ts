/** Making a stream on a cluster that has only just come together. */
import { setTimeout as delay } from 'node:timers/promises';
import { JetStreamApiError } from '@nats-io/jetstream';

/** "no suitable peers for placement": JetStream's own number, https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const NO_SUITABLE_PEERS = 10_005;
/** A leader that was elected a moment ago has yet to hear of the others. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 200;

/**
 * Does what makes a stream, and does it again while the cluster says that it has not enough servers for it.
 * Rejects with the cluster's answer where that is still so after ten seconds.
 */
export async function whenPlaceable<Result>(make: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await make();
    } catch (error) {
      const isEarly = error instanceof JetStreamApiError && error.code === NO_SUITABLE_PEERS;
      if (!isEarly || performance.now() > deadline) throw error;
      await delay(PAUSE_MS);
    }
  }
}
