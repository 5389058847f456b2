import { natsServerProgram } from './nats/nats.ts';

/** On a machine without a nats-server it is fetched once, before a test's own time runs. */
export default async function setup(): Promise<void> {
  await natsServerProgram();
}
