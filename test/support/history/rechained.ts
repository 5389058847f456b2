/** A log that was edited and got a new hash chain: only the content of its events can reveal it. */

import { sha256 } from '../../../src/base/hash.ts';
import { GENESIS_HASH } from '../../../src/journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../../src/journal/journal.ts';

/** @param edit what becomes of the text of each message */
export function rechained(
  messages: readonly StoredMessage[],
  edit: (text: string, sequence: number) => string,
): StoredMessage[] {
  let hash = GENESIS_HASH;
  return messages.map((message) => {
    const text = edit(Buffer.from(message.bytes).toString(), message.sequence);
    const bytes = Buffer.from(text.replace(/"previoushash":"[0-9a-f]{64}"/, `"previoushash":"${hash}"`));
    hash = sha256(bytes);
    return { ...message, bytes };
  });
}
