/** Credentials for a NATS server, as "signalbox nats users" writes them. */
import { readFile } from 'node:fs/promises';
import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import { z } from 'zod';
import { readExactJson } from '../base/exact-json.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';

const passwordSchema = z.object({ user: z.string().min(1), password: z.string().min(1) });

const USER_JWT = 'BEGIN NATS USER JWT';
/** A seed is on a line of its own, whatever else the file contains. */
const SEED = /^S[A-Z2-7]{57}$/m;

/**
 * Reads the seed of an nkey, a creds file with a JWT and its seed, or JSON with `user` and `password`.
 * @throws SignalboxError `config_invalid`
 */
export async function readCredentials(path: string): Promise<Authenticator> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw unusable(path, messageOf(cause), cause);
  });
  if (text.includes(USER_JWT)) return credsAuthenticator(new TextEncoder().encode(text));
  const seed = SEED.exec(text)?.[0];
  if (seed !== undefined) return nkeyAuthenticator(new TextEncoder().encode(seed));
  const named = passwordSchema.safeParse(jsonIn(text));
  // Without the parser's message, which quotes the file.
  if (!named.success) throw unusable(path, 'it holds something else');
  return usernamePasswordAuthenticator(named.data.user, named.data.password);
}

function jsonIn(text: string): unknown {
  const read = readExactJson(text);
  return read.ok ? read.value : undefined;
}

function unusable(path: string, why: string, cause?: unknown): SignalboxError {
  return new SignalboxError(
    'config_invalid',
    `cannot use the credentials in ${path} (${why}): expected the seed of an nkey, a creds file, or JSON with "user" and "password"; "signalbox nats users" makes them`,
    { cause, details: { path } },
  );
}
