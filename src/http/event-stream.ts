/**
 * Events as a stream of server-sent events.
 *
 * S1 The id of an event is its place in the log: whoever comes back with `Last-Event-ID` misses nothing and gets nothing
 *    twice, also from a Signalbox that was started anew.
 * S2 A client that takes nothing is waited for, and holds one batch; one that takes nothing for too long is cut off.
 * S3 A heartbeat shows that the connection lives, and moves the client's id on where its filter lets little through.
 */
import type { ServerResponse } from 'node:http';
import type { Batch, Follower } from '../app/event-feed.ts';
import type { Clock } from '../runtime/environment.ts';

export interface EventStreamOptions {
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** How long a client may take nothing of what it was sent. */
  readonly stallMs: number;
  /** Aborted when the client has gone or the server stops: it is waited for no longer. */
  readonly gone: AbortSignal;
  /** Whether the client may still read: its token may have been revoked. */
  readonly isAdmitted: () => boolean;
}

/** Milliseconds after which a browser comes back. */
const RETRY_MS = 2_000;

/** The same batch has the same bytes for everybody. */
const encoded = new WeakMap<Batch, Buffer>();

export async function streamEvents(
  out: ServerResponse,
  follower: Follower,
  options: EventStreamOptions,
): Promise<void> {
  out.write(`retry: ${RETRY_MS}\nid: ${follower.position}\n\n`);
  const stopHeartbeat = startHeartbeat(out, follower, options);
  try {
    for await (const batch of follower) {
      if (out.write(bytesOf(batch))) continue;
      if (!(await isDrained(out, options))) {
        out.destroy();
        return;
      }
    }
    // A client that has not taken all it was sent would hold up the end.
    if (out.writableLength > 0) out.destroy();
    else if (out.writable) out.write(': the stream ends here: come back with Last-Event-ID\n\n');
  } finally {
    stopHeartbeat();
  }
}

function bytesOf(batch: Batch): Buffer {
  const known = encoded.get(batch);
  if (known) return known;
  const text = batch.events.map(
    ({ sequence, type, json }) => `id: ${sequence}\nevent: ${type}\ndata: ${json}\n\n`,
  );
  const bytes = Buffer.from(text.join(''));
  encoded.set(batch, bytes);
  return bytes;
}

function startHeartbeat(
  out: ServerResponse,
  follower: Follower,
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

/** Whether the client has taken what it was sent, in time. */
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
