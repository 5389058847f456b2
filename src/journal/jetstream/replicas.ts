/** On how many servers a stream is kept: as configured, also where it was made with another number. */
import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream';

/** Does nothing where it is so already. Rejects with what the client rejects with, as where the cluster is too small. */
export async function keepReplicas(
  manager: JetStreamManager,
  config: StreamConfig,
  replicas: number,
): Promise<void> {
  if (config.num_replicas === replicas) return;
  await manager.streams.update(config.name, { ...config, num_replicas: replicas });
}
