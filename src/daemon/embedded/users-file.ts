/** The list of the users of a NATS server, in the directory of their seeds. */
import { join } from 'node:path';
import { z } from 'zod';
import { readIfExists } from '../../base/files.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { ID_PATTERN } from '../../contracts/ids.ts';
import { LOG_ACCOUNT } from '../../contracts/messages/subjects.ts';
import { NATS_ROLES, type NatsUser } from '../../nats/nats-users.ts';
import { replaceFile } from './files.ts';

const USERS_FILE = 'users.json';

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

const fileSchema = z.union([
  z.strictObject({ account: z.string().regex(ID_PATTERN), users: usersSchema }),
  // Up to 0.1.0.
  usersSchema.transform((users) => ({ account: LOG_ACCOUNT, users })),
]);

export interface UsersFile {
  /** The name of the account with the log. */
  readonly account: string;
  readonly users: readonly NatsUser[];
}

/** The users whose seeds are in `directory`; none if there is no such directory. @throws SignalboxError `config_invalid` */
export async function readUsers(directory: string): Promise<UsersFile> {
  const file = join(directory, USERS_FILE);
  try {
    const text = await readIfExists(file);
    return text === null ? { account: LOG_ACCOUNT, users: [] } : parseUsers(text);
  } catch (cause) {
    throw new SignalboxError(
      'config_invalid',
      `cannot read the users in ${file}: ${messageOf(cause)}. Delete the directory and make new users with "signalbox nats users"`,
      { cause, details: { file } },
    );
  }
}

function parseUsers(text: string): UsersFile {
  const { data } = fileSchema.safeParse(JSON.parse(text));
  if (data) return data;
  throw new Error('it is no list of users with "name", "role" and "nkey" or "password_hash"');
}

export async function writeUsers(directory: string, { account, users }: UsersFile): Promise<void> {
  await replaceFile(join(directory, USERS_FILE), `${JSON.stringify({ account, users }, null, 2)}\n`);
}
