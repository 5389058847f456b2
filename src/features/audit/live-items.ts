/** The items of a log as it is now: what is missing without a redaction stays missing. */

import { REDACTION_FILTER } from '../../contracts/messages/subjects.ts';
import { decodeRecord } from '../../journal/codec/cloud-event.ts';
import type { LogReader } from '../../journal/journal.ts';
import { type Redaction, tombstoneFor } from '../../journal/redactions.ts';
import type { LogItem } from './log-item.ts';

/** From the first event to the present end. @throws SignalboxError `nats_unavailable` */
export async function* liveItems(
  reader: Pick<LogReader, 'readPresent' | 'readByFilter'>,
): AsyncIterable<LogItem> {
  const redactions = await readableRedactions(reader);
  let expected = 1;
  for await (const message of reader.readPresent({ from: 1 })) {
    for (; expected < message.sequence; expected++) {
      const standIn = itemFor(redactions.get(expected));
      if (standIn) yield standIn;
    }
    const { sequence, id, subject, bytes } = message;
    yield { kind: 'message', sequence, id, subject, bytes };
    expected = sequence + 1;
  }
}

/** What cannot be read is found in its own place. */
async function readableRedactions(
  reader: Pick<LogReader, 'readByFilter'>,
): Promise<ReadonlyMap<number, Redaction>> {
  const found = new Map<number, Redaction>();
  for await (const { bytes, sequence } of reader.readByFilter(REDACTION_FILTER)) {
    try {
      const { event } = decodeRecord(Buffer.from(bytes).toString(), '');
      if (event.type === 'task.redacted') found.set(event.sequence, { ...event, by: sequence });
    } catch {}
  }
  return found;
}

function itemFor(redaction: Redaction | undefined): LogItem | null {
  if (!redaction) return null;
  try {
    const { sequence, bytes, originalHash } = tombstoneFor(redaction);
    return { kind: 'message', sequence, bytes, originalHash };
  } catch {
    return null;
  }
}
