/**
 * Ed25519 keys, and the texts that are signed with them. docs/reference/audit.md describes the texts: a changed text
 * needs a new version there.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { sha256 } from '../../base/hash.ts';

export interface SigningKey {
  /** SHA-256 (hex) of the 32 bytes of the public key. */
  readonly fingerprint: string;
  /** The 32 bytes in base64. */
  readonly publicKey: string;
  /** The signature of the text (UTF-8) in base64. */
  sign(text: string): string;
  /** PKCS #8 in PEM. Belongs only into the key file of the data directory. */
  privatePem(): string;
}

/** The bytes before the 32 bytes of an Ed25519 key in DER (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

export function generateKey(): SigningKey {
  return signingKeyOf(generateKeyPairSync('ed25519').privateKey);
}

/** @throws Error if it is not a private Ed25519 key */
export function readPrivateKey(pem: string): SigningKey {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`key type ${key.asymmetricKeyType} is not Ed25519`);
  return signingKeyOf(key);
}

function signingKeyOf(key: KeyObject): SigningKey {
  const raw = rawOf(createPublicKey(key));
  return {
    fingerprint: fingerprintOf(raw),
    publicKey: raw.toString('base64'),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
    privatePem: () => String(key.export({ type: 'pkcs8', format: 'pem' })),
  };
}

function rawOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length);
}

/** @param raw the 32 bytes of the public key */
export const fingerprintOf = (raw: Uint8Array): string => sha256(raw);

/** The 32 bytes of a public key; null if the text is not the base64 of exactly 32 bytes. */
export function rawPublicKey(base64: string): Buffer | null {
  return exactly(base64, PUBLIC_KEY_BYTES);
}

/** The fingerprint of a public key in PEM; null if it is not an Ed25519 key. */
export function fingerprintOfPem(pem: string): string | null {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? fingerprintOf(rawOf(key)) : null;
  } catch {
    return null;
  }
}

/** The public key in PEM, the format that other programs read. */
export function publicPem(raw: Uint8Array): string {
  return String(publicKeyOf(raw).export({ type: 'spki', format: 'pem' }));
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}

/** Whether the signature of the text was made with the private part of this key. */
export function isSignedWith(publicKey: string, text: string, signature: string): boolean {
  const raw = rawPublicKey(publicKey);
  const bytes = exactly(signature, SIGNATURE_BYTES);
  return raw !== null && bytes !== null && verify(null, Buffer.from(text), publicKeyOf(raw), bytes);
}

/** Rejects base64 with another spelling of the same bytes. */
function exactly(base64: string, length: number): Buffer | null {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length === length && bytes.toString('base64') === base64 ? bytes : null;
}

export interface Checkpoint {
  /** First and last event that it covers. */
  readonly from: number;
  readonly sequence: number;
  /** Hash of the last event. */
  readonly hash: string;
  /** From `digestOf`, over the hashes of all events. */
  readonly digest: string;
}

/** The text that a checkpoint signs. */
export function checkpointText({ from, sequence, hash, digest }: Checkpoint): string {
  return `signalbox.checkpoint.v1\n${from}\n${sequence}\n${hash}\n${digest}\n`;
}

/** The text by which a key vouches for its successor. Both are fingerprints. */
export function successionText(earlier: string, key: string): string {
  return `signalbox.key.v1\n${earlier}\n${key}\n`;
}

/** SHA-256 over the hashes of events, each in hex and followed by a line feed. */
export function digestOf(hashes: Iterable<string>): string {
  const digest = createHash('sha256');
  for (const each of hashes) digest.update(`${each}\n`);
  return digest.digest('hex');
}
