/** Users of a test's NATS server, in accounts of their own as "signalbox nats users" makes them, with passwords. */
import { mkdir } from 'node:fs/promises';
import type { NodeConnectionOptions } from '@nats-io/transport-node';
import { hash } from 'bcryptjs';
import { inboxPrefix, LOG_ACCOUNT } from '../../../src/contracts/messages/subjects.ts';
import { layoutOf } from '../../../src/daemon/embedded/layout.ts';
import { writeUsers } from '../../../src/daemon/embedded/users-file.ts';
import type { OtherUser } from '../../../src/nats/nats-users.ts';

const PASSWORD = 'of-a-test';

/** Makes the users known to the server that is started with this data directory next. */
export async function prepareUsers(dataDirectory: string, others: readonly OtherUser[]): Promise<void> {
  const { usersDir } = layoutOf(dataDirectory);
  await mkdir(usersDir, { recursive: true });
  const password_hash = await hash(PASSWORD, 4);
  await writeUsers(usersDir, {
    account: LOG_ACCOUNT,
    users: others.map(({ name, role }) => ({ name, role, password_hash })),
  });
}

export function credentialsOf(user: string): { readonly user: string; readonly pass: string } {
  return { user, pass: PASSWORD };
}

/** The options with which this user connects. */
export function connectOptionsOf(user: string, servers: string): NodeConnectionOptions {
  return { servers, ...credentialsOf(user), inboxPrefix: inboxPrefix(user), noAsyncTraces: true };
}
