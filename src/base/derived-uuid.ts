/** UUIDs that follow from a text, so that nothing has to be stored. */
import { sha256 } from './hash.ts';

/** Always the same for a text. In the form of version 4, because a tool may accept no other. */
export function derivedUuid(text: string): string {
  const hash = sha256(text);
  const variant = ((Number.parseInt(hash.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `4${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-');
}
