/**
 * Server-sent events. The id of an event is its place in the log; of events that were stored as one message, the last has it.
 * A client that reconnects with `Last-Event-ID` misses nothing, and gets nothing twice unless it was cut off within a message, also after a restart of Signalbox. A slow client costs one batch of memory, and is disconnected
 * after `stallMs`. Heartbeats keep the connection alive and move the client's id on while its filter lets nothing through.
 */
import type { ServerResponse } from 'node:http';
import { type Batch, isLastOfMessage } from '../app/events/event-feed.ts';
import type { Clock } from '../base/environment.ts';
import { SignalboxError } from '../contracts/errors.ts';

export interface EventStreamOptions {
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** Milliseconds after which a client that reads nothing is disconnected. */
  readonly stallMs: number;
  /** Aborted when the client has gone or the server stops. */
  readonly gone: AbortSignal;
  /** Whether the client may still read: its token may have been revoked. */
  readonly isAdmitted: () => boolean;
}

/** Milliseconds after which a browser reconnects. */
const RETRY_MS = 2_000;

export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

/** Encodes a batch; `once` keeps the bytes, which all clients share. */
export type EncodeBatch = (batch: Batch) => Buffer;

/** What a client follows: batches, and the place up to which all were yielded. */
export interface Source<Item> extends AsyncIterable<Item> {
  readonly position: number;
  /** Whether nothing follows, now or later: then the client gets what it has not read yet. Absent: something always may. */
  isFinished?(): boolean;
}

/** @param first is sent before everything else: whole messages, each with its end */
export async function streamBatches<Item>(
  out: ServerResponse,
  follower: Source<Item>,
  encode: (batch: Item) => Buffer,
  options: EventStreamOptions,
  first = '',
): Promise<void> {
  out.write(`retry: ${RETRY_MS}\nid: ${follower.position}\n\n${first}`);
  const stopHeartbeat = startHeartbeat(out, follower, options);
  try {
    for await (const batch of follower) {
      if (out.write(encode(batch))) continue;
      if (!(await isDrained(out, options))) {
        out.destroy();
        return;
      }
    }
    if (follower.isFinished?.() === true) return;
    // A client that has not read everything would delay the end.
    if (out.writableLength > 0) out.destroy();
    else if (out.writable) out.write(': the stream ends here: reconnect with Last-Event-ID\n\n');
  } catch (error) {
    if (out.writable && error instanceof SignalboxError) {
      out.write(`: the log cannot be read: ${error.message.replaceAll(/\s+/g, ' ')}\n\n`);
    }
    throw error;
  } finally {
    stopHeartbeat();
  }
}

/** Encodes each batch once. */
export function once(encode: (batch: Batch) => string): EncodeBatch {
  const encoded = new WeakMap<Batch, Buffer>();
  return (batch) => {
    const known = encoded.get(batch);
    if (known) return known;
    const bytes = Buffer.from(encode(batch));
    encoded.set(batch, bytes);
    return bytes;
  };
}

/** Each event as one message. */
export const encodeEvents: EncodeBatch = once(({ events }) =>
  events
    .map(({ sequence, type, json }, index) =>
      message(isLastOfMessage(events, index) ? sequence : null, type, json),
    )
    .join(''),
);

/**
 * @param id null if the client must not go on from here
 * @param data without line breaks, as JSON has none
 */
export function message(id: number | null, event: string, data: string): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}

function startHeartbeat(
  out: ServerResponse,
  follower: Source<unknown>,
  { clock, heartbeatMs, isAdmitted }: EventStreamOptions,
): () => void {
  let cancel = (): void => {};
  const beat = (): void => {
    cancel = clock.schedule(heartbeatMs, () => {
      if (!isAdmitted()) return void out.destroy();
      if (!out.writableNeedDrain) out.write(`: heartbeat\nid: ${follower.position}\n\n`);
      beat();
    });
  };
  beat();
  return () => cancel();
}

/** Whether the client has read what it was sent, in time. */
function isDrained(out: ServerResponse, { clock, stallMs, gone }: EventStreamOptions): Promise<boolean> {
  if (out.destroyed || gone.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (result: boolean) => () => {
      cancel();
      out.off('drain', onDrain);
      gone.removeEventListener('abort', onGone);
      resolve(result);
    };
    const onDrain = end(true);
    const onGone = end(false);
    const cancel = clock.schedule(stallMs, onGone);
    out.once('drain', onDrain);
    gone.addEventListener('abort', onGone, { once: true });
  });
}
