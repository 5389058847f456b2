/** Standbys say who they are when somebody asks, over NATS. Nothing depends on it. */
import type { NatsConnection } from '@nats-io/transport-node';
import { STANDBY_SUBJECT } from '../contracts/messages/subjects.ts';
import type { LeaseHolder } from '../journal/lease.ts';

/** Milliseconds in which a standby that lives has answered. */
const ANSWER_MS = 300;

export type Standby = Pick<LeaseHolder, 'host' | 'pid' | 'since'>;

/** @returns what ends the answering */
export function answerAsStandby(connection: NatsConnection, { host, pid, since }: Standby): () => void {
  const answer = JSON.stringify({ host, pid, since });
  const subscription = connection.subscribe(STANDBY_SUBJECT, {
    callback: (error, message) => {
      if (!error) message.respond(answer);
    },
  });
  return () => subscription.unsubscribe();
}

/** Those that answer in time. */
export async function findStandbys(connection: NatsConnection): Promise<Standby[]> {
  const standbys: Standby[] = [];
  try {
    const options = { strategy: 'timer', maxWait: ANSWER_MS } as const;
    for await (const message of await connection.requestMany(STANDBY_SUBJECT, '', options)) {
      standbys.push(message.json<Standby>());
    }
  } catch {
    // Nobody listens there, or nobody who may.
  }
  return standbys;
}
