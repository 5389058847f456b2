/**
 * Ed25519 keys and what is signed with them. The texts that are signed are described in docs/reference/audit.md: a change here
 * is a new version there.
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

export interface SigningKey {
  /** SHA-256 (hex) of the 32 bytes of the public key. */
  readonly fingerprint: string;
  /** The 32 bytes in base64. */
  readonly publicKey: string;
  /** Ed25519 over the text as UTF-8, in base64. */
  sign(text: string): string;
  /** PKCS #8 in PEM. For the file in the data directory and nowhere else. */
  privatePem(): string;
}

/** What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

export function generateKey(): SigningKey {
  return signingKeyOf(generateKeyPairSync('ed25519').privateKey);
}

/** @throws Error where it is not the private key of Ed25519 */
export function readPrivateKey(pem: string): SigningKey {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`it is a key of ${key.asymmetricKeyType}, not Ed25519`);
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
export function fingerprintOf(raw: Uint8Array): string {
  return createHash('sha256').update(raw).digest('hex');
}

/** The 32 bytes of a public key; null where the base64 is not exactly that of 32 bytes. */
export function rawPublicKey(base64: string): Buffer | null {
  return exactly(base64, PUBLIC_KEY_BYTES);
}

/** The fingerprint of a public key in PEM; null where it is none of Ed25519. */
export function fingerprintOfPem(pem: string): string | null {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? fingerprintOf(rawOf(key)) : null;
  } catch {
    return null;
  }
}

/** As other programs take it. */
export function publicPem(raw: Uint8Array): string {
  return String(publicKeyOf(raw).export({ type: 'spki', format: 'pem' }));
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}

/** Whether the signature over the text was made with the private part of this key. */
export function isSignedWith(publicKey: string, text: string, signature: string): boolean {
  const raw = rawPublicKey(publicKey);
  const bytes = exactly(signature, SIGNATURE_BYTES);
  return raw !== null && bytes !== null && verify(null, Buffer.from(text), publicKeyOf(raw), bytes);
}

/** One text for one value: base64 that says the same in another way is refused. */
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
  /** Hash over all hashes, see `HashList`. */
  readonly digest: string;
}

/** What the signature of a checkpoint is over. */
export function checkpointText({ from, sequence, hash, digest }: Checkpoint): string {
  return `signalbox.checkpoint.v1\n${from}\n${sequence}\n${hash}\n${digest}\n`;
}

/** What the signature of the earlier key is over, by which it vouches for its successor. */
export function successionText(earlier: string, key: string): string {
  return `signalbox.key.v1\n${earlier}\n${key}\n`;
}

/** The digest of a checkpoint: SHA-256 over the hashes of its events, each in hex and followed by a line feed. */
export function digestOf(hashes: Iterable<string>): string {
  const digest = createHash('sha256');
  for (const each of hashes) digest.update(`${each}\n`);
  return digest.digest('hex');
}
