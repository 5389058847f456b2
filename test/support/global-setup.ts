/** Runs once before the tests that start servers and programs, so that no test's time limit includes these steps. */
import { natsServerProgram } from './nats/nats.ts';
import { buildDirectory } from './process/build.ts';

/** Downloads nats-server if the machine has none, and builds the program if its sources have changed. */
export default async function setup(): Promise<void> {
  await Promise.all([natsServerProgram(), buildDirectory()]);
}
