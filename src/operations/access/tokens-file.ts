/**
 * The file with the tokens of people. It holds SHA-256 hashes of random 256-bit tokens, so a reader of the file cannot use
 * them; a token is shown once, when it is created. The file is replaced as a whole: a reader sees the old one or the new one.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { replaceDurably } from '../../base/files.ts';
import { sha256 } from '../../base/hash.ts';
import { readRegular } from '../../base/regular-files.ts';
import { RESERVED_NAMES } from '../../contracts/actors.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { ID_PATTERN } from '../../contracts/ids.ts';
import { type AccessFiles, readAccess, recordAccess } from './access-state.ts';

export const ROLES = ['admin', 'observer'] as const;
export type Role = (typeof ROLES)[number];

const entrySchema = z.strictObject({
  /** The actor `user:<name>` of every decision that is made with the token. */
  name: z.string().regex(ID_PATTERN),
  role: z.enum(ROLES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  created_at: z.string(),
});
const fileSchema = z.strictObject({ tokens: z.array(entrySchema) });
export type TokenEntry = z.output<typeof entrySchema>;

/** Room for ten thousand tokens. */
export const MAX_TOKENS_BYTES = 4 * 1_024 * 1_024;
const TOKEN_BYTES = 32;
/** Lets secret scanners recognise a token. */
const PREFIX = 'sbx_';

export function hashOf(token: string): string {
  return sha256(token);
}

/** @param text null if there is no file. @throws SignalboxError `config_invalid` */
export function parseTokens(text: string | null, file: string): readonly TokenEntry[] {
  if (text === null) return [];
  try {
    return fileSchema.parse(JSON.parse(text)).tokens;
  } catch (cause) {
    throw new SignalboxError(
      'config_invalid',
      `${file} should hold the hashes of tokens, and is not valid. Restore it, or delete it and create new tokens with "signalbox token new"`,
      { cause, details: { file } },
    );
  }
}

async function textOf(file: string): Promise<string | null> {
  return (await readRegular(file, MAX_TOKENS_BYTES, { followLinks: true }))?.toString() ?? null;
}

/** @throws SignalboxError `config_invalid` */
export async function readTokens(file: string): Promise<readonly TokenEntry[]> {
  try {
    return parseTokens(await textOf(file), file);
  } catch (cause) {
    if (cause instanceof SignalboxError) throw cause;
    throw new SignalboxError('config_invalid', `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Creates a token; from now on access without one is closed. @returns the token itself, to be shown once
 * @throws SignalboxError `invalid_request` for a name that is taken or reserved, `config_invalid`
 */
export async function addToken(files: AccessFiles, name: string, role: Role, now: number): Promise<string> {
  const tokens = await readTokens(files.tokens);
  if (RESERVED_NAMES.has(name)) {
    throw new SignalboxError(
      'invalid_request',
      `the name ${name} stands for callers without a token or for Signalbox itself: choose another name`,
    );
  }
  if (tokens.some((each) => each.name === name)) {
    throw new SignalboxError(
      'invalid_request',
      `there is a token ${name} already: revoke it first, or choose another name`,
    );
  }
  const token = PREFIX + randomBytes(TOKEN_BYTES).toString('base64url');
  const entry = { name, role, sha256: hashOf(token), created_at: new Date(now).toISOString() };
  await closeAccess(files, now);
  await writeTokens(files.tokens, [...tokens, entry]);
  return token;
}

/** @returns how many tokens are left. @throws SignalboxError `not_found`, `config_invalid` */
export async function removeToken(files: AccessFiles, name: string, now: number): Promise<number> {
  const tokens = await readTokens(files.tokens);
  const rest = tokens.filter((each) => each.name !== name);
  if (rest.length === tokens.length) {
    const known = tokens.map((each) => each.name).join(', ') || 'none';
    throw new SignalboxError('not_found', `there is no token ${name}; tokens: ${known}`);
  }
  // A Signalbox of an earlier version has not recorded that there are tokens.
  await closeAccess(files, now);
  await writeTokens(files.tokens, rest);
  return rest.length;
}

/**
 * Lets every user of this machine in without a token, until the next token is created.
 * @throws SignalboxError `invalid_request` while there are tokens, `config_invalid`
 */
export async function openAccess(files: AccessFiles, now: number): Promise<void> {
  const tokens = await readTokens(files.tokens);
  if (tokens.length > 0) {
    const names = tokens.map((each) => each.name).join(', ');
    throw new SignalboxError(
      'invalid_request',
      `there are tokens (${names}), and access without one is closed as long as there are: revoke them first`,
    );
  }
  await recordAccess(files, 'open', now);
}

async function closeAccess(files: AccessFiles, now: number): Promise<void> {
  if (readAccess(files) !== 'closed') await recordAccess(files, 'closed', now);
}

async function writeTokens(file: string, tokens: readonly TokenEntry[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await replaceDurably(file, `${JSON.stringify({ tokens }, null, 2)}\n`);
}
