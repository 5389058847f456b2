/** Runs once before the tests that need a nats-server. */
import { natsServerProgram } from './nats/nats.ts';

/** Downloads nats-server if the machine has none, so that no test's time limit includes it. */
export default async function setup(): Promise<void> {
  await natsServerProgram();
}
