/** The nats-server programs that tests about rights try: the one of all tests, and those that a variable names. */
import { pino } from 'pino';
import { locateNatsServer, type NatsServerProgram } from '../../../src/daemon/embedded/program.ts';
import { natsServerProgram } from './nats.ts';

/** Other servers to try, by their paths, with ":" between them: what differs is between old ones and new ones. */
const OTHERS = (process.env.SIGNALBOX_TEST_NATS_SERVERS ?? '').split(':').filter((path) => path !== '');

/** Paths; undefined for the server of all tests. */
export const SERVERS = [undefined, ...OTHERS];

export async function programAt(path: string | undefined): Promise<NatsServerProgram> {
  if (path === undefined) return natsServerProgram();
  const logger = pino({ level: 'silent' });
  const program = await locateNatsServer({ logger, env: process.env, configured: path });
  if (!program) throw new Error(`${path} is no nats-server`);
  return program;
}
