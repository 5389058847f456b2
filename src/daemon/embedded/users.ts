/** The users of the embedded server: Signalbox itself, and those that "signalbox nats users" has made. */
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { ID_PATTERN } from '../../contracts/ids.ts';
import { NATS_ROLES, type NatsUser, usersConf } from '../../nats/nats-users.ts';
import type { Credentials } from './credentials.ts';
import { readIfThere, replaceFile } from './files.ts';
import type { Layout } from './layout.ts';

/** Names the users that stand in the directory of their seeds. */
export const USERS_FILE = 'users.json';

const usersSchema = z.array(
  z.strictObject({
    name: z.string().regex(ID_PATTERN),
    role: z.enum(NATS_ROLES),
    nkey: z
      .string()
      .regex(/^U[A-Z2-7]{55}$/)
      .optional(),
    password_hash: z
      .string()
      .regex(/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/)
      .optional(),
  }),
);

/** The users whose seeds are kept in `directory`; none where there is no such directory. @throws SignalboxError `config_invalid` */
export async function readUsers(directory: string): Promise<NatsUser[]> {
  const file = join(directory, USERS_FILE);
  try {
    const text = await readIfThere(file);
    return text === undefined ? [] : usersSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SignalboxError(
      'config_invalid',
      `the users in ${file} cannot be read: ${messageOf(cause)}. Delete the directory and make new ones with "signalbox nats users"`,
      { cause, details: { file } },
    );
  }
}

/** Writes what `nats.conf` includes. */
export async function writeUsersConf(layout: Layout, { user }: Credentials): Promise<void> {
  const own = `{ user: ${user}, password: $SIGNALBOX_NATS_PASSWORD }`;
  await replaceFile(layout.usersConfFile, usersConf(await readUsers(layout.usersDir), [own]));
}
