import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { isAlreadyThere } from './files.ts';

/** The one user of the embedded server, as `nats.conf` names it. */
export type Credentials = Readonly<{ user: string; password: string }>;

const USER = 'signalbox';

/**
 * The credentials kept in `file`; made up and written (mode 0600) when there is no such file.
 * Two processes that do this at once end with the same ones. Throws `nats_unavailable`.
 */
export async function loadCredentials(file: string): Promise<Credentials> {
  try {
    if (!existsSync(file)) await createOnce(file);
    const credentials: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!isCredentials(credentials)) throw new Error('it has no user and password');
    await chmod(file, 0o600);
    return credentials;
  } catch (cause) {
    throw new SignalboxError(
      'nats_unavailable',
      `the credentials of the embedded NATS server in ${file} cannot be used (${messageOf(cause)}): ` +
        'make the file readable for this user, or delete it while Signalbox is stopped to get new ones',
      { cause, details: { file } },
    );
  }
}

async function createOnce(file: string): Promise<void> {
  const fresh: Credentials = { user: USER, password: randomBytes(24).toString('base64url') };
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, `${JSON.stringify(fresh)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // link, unlike rename, does not replace what another process wrote first.
    await link(temporary, file);
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== 'object' || value === null) return false;
  const { user, password } = value as Record<string, unknown>;
  return user === USER && typeof password === 'string' && password !== '';
}
