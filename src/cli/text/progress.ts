/** Progress of long work: one line that is redrawn on a terminal; nothing otherwise. */
import type { EventSource } from '../../engine/replay/event-source.ts';
import type { Terminal } from '../terminal.ts';
import { durationText } from './time.ts';

export interface Progress extends Disposable {
  readonly isShown: boolean;
  /** @param total 0 if unknown */
  update(done: number, total: number): void;
  /** Removes the line; called before other output, and by disposal. */
  clear(): void;
}

const REDRAW_MS = 100;
const CLEAR_LINE = '\r\u001b[2K';

const HIDDEN: Progress = { isShown: false, update: () => {}, clear: () => {}, [Symbol.dispose]: () => {} };

/**
 * @param what precedes the numbers, such as `verified`
 * @param now milliseconds from any origin
 */
export function progressOn(
  { redraw }: Pick<Terminal, 'redraw'>,
  what: string,
  now = (): number => performance.now(),
): Progress {
  if (redraw === null) return HIDDEN;
  const began = now();
  let drawnAt = began;
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) redraw(CLEAR_LINE);
    isDrawn = false;
  };
  return {
    isShown: true,
    update: (done, total) => {
      const time = now();
      if (time - drawnAt < REDRAW_MS) return;
      drawnAt = time;
      isDrawn = true;
      redraw(`${CLEAR_LINE}${what} ${progressText(done, total, time - began)}`);
    },
    clear,
    [Symbol.dispose]: clear,
  };
}

/** As in `12,000 of 48,000 events (25 %), 6,000 a second, 6.0 s left`. */
export function progressText(done: number, total: number, ms: number): string {
  const rate = done / (ms / 1_000);
  const speed = `${Math.round(rate).toLocaleString('en')} a second`;
  if (total === 0) return `${done.toLocaleString('en')} events, ${speed}`;
  const share = `of ${total.toLocaleString('en')} events (${Math.floor((done / total) * 100)} %)`;
  const leftMs = (Math.max(0, total - done) / rate) * 1_000;
  const left = done === 0 ? '' : `, ${durationText(leftMs)} left`;
  return `${done.toLocaleString('en')} ${share}, ${speed}${left}`;
}

/** A source that shows how far it is read; the same source unless the progress is shown. */
export function shownReading(source: EventSource, progress: Progress): EventSource {
  if (!progress.isShown) return source;
  return {
    ...source,
    async *read(selection = {}) {
      const { from = 1, to = Number.POSITIVE_INFINITY } = selection;
      const total = Math.min(await source.lastSequence(), to) + 1 - from;
      for await (const message of source.read(selection)) {
        progress.update(message.sequence + 1 - from, total);
        yield message;
      }
    },
  };
}
