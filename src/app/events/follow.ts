/** Following the log as it grows, one record after the other. */

import { deferred } from '../../base/deferred.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import type { Needs } from '../context.ts';

/** Records that wait for a slow reader before it is told that it cannot follow. */
const MAX_WAITING = 100_000;

/**
 * Every record that is committed from now on, in order and without a gap, until the loop is left or Signalbox stops.
 * @throws SignalboxError `overloaded` to a reader that is too slow, rather than leave out a record
 */
export function followRecords(
  app: Needs<'log.onRecord' | 'log.closed'>,
): AsyncIterableIterator<StoredRecord> {
  const waiting: StoredRecord[] = [];
  let changed = deferred();
  let overflown = false;
  const stop = app.log.onRecord((record) => {
    if (waiting.length < MAX_WAITING) waiting.push(record);
    else overflown = true;
    changed.resolve();
  });
  app.log.closed.addEventListener('abort', () => changed.resolve(), { once: true });
  async function* read(): AsyncIterableIterator<StoredRecord> {
    try {
      for (;;) {
        for (let record = waiting.shift(); record; record = waiting.shift()) yield record;
        if (overflown) {
          throw new SignalboxError(
            'overloaded',
            `the reader is more than ${MAX_WAITING} records behind: read from the log instead`,
          );
        }
        if (app.log.closed.aborted) return;
        await changed.promise;
        changed = deferred();
      }
    } finally {
      stop();
    }
  }
  return read();
}
