/** Credentials for a NATS server, as "signalbox nats users" writes them. */
import { readFile } from 'node:fs/promises';
import {
  type Authenticator,
  nkeyAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import { z } from 'zod';
import { messageOf, SignalboxError } from '../contracts/errors.ts';

const passwordSchema = z.object({ user: z.string().min(1), password: z.string().min(1) });

/** A seed stands on a line of its own, whatever else is in the file. */
const SEED = /^S[A-Z2-7]{57}$/m;

/**
 * Reads the seed of an nkey, or JSON with `user` and `password`.
 * @throws SignalboxError `config_invalid`
 */
export async function readCredentials(path: string): Promise<Authenticator> {
  try {
    const text = await readFile(path, 'utf8');
    const seed = SEED.exec(text)?.[0];
    if (seed !== undefined) return nkeyAuthenticator(new TextEncoder().encode(seed));
    const { user, password } = passwordSchema.parse(JSON.parse(text));
    return usernamePasswordAuthenticator(user, password);
  } catch (cause) {
    throw new SignalboxError(
      'config_invalid',
      `the credentials in ${path} cannot be used (${messageOf(cause).split('\n', 1)[0]}): expected the seed of an nkey, or JSON with "user" and "password"; "signalbox nats users" makes them`,
      { cause, details: { path } },
    );
  }
}
