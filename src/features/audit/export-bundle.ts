/** Writing a bundle: the events that were asked for with their exact bytes, and the hashes of those around them. */
import { createHash } from 'node:crypto';
import type { DomainEvent } from '../../contracts/events/events.ts';
import { decodeRecord } from '../../journal/codec/cloud-event.ts';
import type { LogReader, StoredMessage } from '../../journal/journal.ts';
import { chainHashOf } from '../../journal/redactions.ts';
import { VERSION } from '../../version.ts';
import { BUNDLE_FORMAT, BUNDLE_VERSION, type BundleLine, type BundleManifest } from './bundle-format.ts';
import { type BundleRange, type BundleRequest, isShown, rangeOf } from './bundle-range.ts';

export interface BundleSink {
  /** Takes a part of the text; resolves when the next one may come. */
  write(text: string): Promise<void>;
  /** Told how many of the lines are written. */
  progress?(done: number, total: number): void;
}

/**
 * @param reader with stand-ins for what was redacted
 * @param created epoch milliseconds
 * @throws SignalboxError what `rangeOf` throws, `log_corrupt` for a log with a gap
 */
export async function exportBundle(
  reader: LogReader,
  request: BundleRequest,
  created: number,
  sink: BundleSink,
): Promise<BundleManifest> {
  const range = await rangeOf(reader, request);
  const { first, last } = range;
  const digest = createHash('sha256');
  const put = async (line: BundleLine): Promise<void> => {
    const text = `${JSON.stringify(line)}\n`;
    digest.update(text);
    await sink.write(text);
  };
  await put({
    line: 'header',
    format: BUNDLE_FORMAT,
    version: BUNDLE_VERSION,
    signalbox: VERSION,
    created: new Date(created).toISOString(),
    filter: range.filter,
    first,
    keys: [...range.earlierKeys],
  });
  const contents = new Contents(range);
  for await (const message of reader.read({ from: first, to: last })) {
    await put(contents.add(message));
    sink.progress?.(message.sequence + 1 - first, last + 1 - first);
  }
  const manifest = contents.manifest();
  await put(manifest);
  const end: BundleLine = { line: 'end', sha256: digest.digest('hex') };
  await sink.write(`${JSON.stringify(end)}\n`);
  return manifest;
}

/** What has been put into a bundle so far. */
class Contents {
  readonly #range: BundleRange;
  readonly #keys: Record<string, string> = {};
  readonly #checkpoints: number[] = [];
  readonly #counts = { events: 0, redacted: 0, omitted: 0 };
  #firstHash: string | null = null;
  #lastHash: string | null = null;

  constructor(range: BundleRange) {
    this.#range = range;
    for (const { key, public_key } of range.earlierKeys) this.#keys[key] = public_key;
  }

  /** The line for a message. */
  add(message: StoredMessage): BundleLine {
    const { sequence, originalHash } = message;
    const sha256 = chainHashOf(message);
    this.#firstHash ??= sha256;
    this.#lastHash = sha256;
    const text = Buffer.from(message.bytes).toString();
    const event = eventIn(text, sequence);
    // What cannot be read is shown: an auditor has to see it.
    if (event !== null && !isShown(event, sequence, this.#range.filter)) {
      this.#counts.omitted++;
      return { line: 'omitted', sequence, sha256 };
    }
    if (event?.type === 'supervisor.checkpointed') this.#checkpoints.push(sequence);
    if (event?.type === 'supervisor.key_introduced') this.#keys[event.key] = event.public_key;
    if (originalHash !== undefined) {
      this.#counts.redacted++;
      return { line: 'redacted', sequence, sha256, event: text };
    }
    this.#counts.events++;
    return { line: 'event', sequence, sha256, event: text };
  }

  manifest(): BundleManifest {
    return {
      line: 'manifest',
      first: this.#range.first,
      last: this.#range.last,
      first_sha256: this.#firstHash,
      last_sha256: this.#lastHash,
      ...this.#counts,
      is_end: this.#range.isEnd,
      keys: this.#keys,
      checkpoints: this.#checkpoints,
    };
  }
}

function eventIn(text: string, sequence: number): DomainEvent | null {
  try {
    return decodeRecord(text, `sequence ${sequence}`).event;
  } catch {
    return null;
  }
}
