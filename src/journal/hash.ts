import { hash } from 'node:crypto';

/** SHA-256 in hex: the link of the log's hash chain, over the bytes exactly as they are stored. */
export function sha256(bytes: Uint8Array | string): string {
  return hash('sha256', bytes, 'hex');
}
