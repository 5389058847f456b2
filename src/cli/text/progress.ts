/** How far long work has come: one line that is drawn again, where a person is looking; nothing elsewhere. */
import type { Terminal } from '../terminal.ts';

export interface Progress {
  /** @param total 0 where it is not known */
  update(done: number, total: number): void;
  /** Takes the line away. */
  close(): void;
}

const REDRAW_MS = 100;
const CLEAR_LINE = '\r\u001b[2K';

/** @param what as in `verified`: stands before the numbers */
export function progressOn(terminal: Pick<Terminal, 'isInteractive' | 'write'>, what: string): Progress {
  let drawnAt = performance.now();
  let isDrawn = false;
  return {
    update: (done, total) => {
      const now = performance.now();
      if (!terminal.isInteractive || now - drawnAt < REDRAW_MS) return;
      drawnAt = now;
      isDrawn = true;
      const share =
        total > 0 ? ` of ${total.toLocaleString('en')} (${Math.floor((done / total) * 100)} %)` : '';
      terminal.write(`${CLEAR_LINE}${what} ${done.toLocaleString('en')}${share}`);
    },
    close: () => {
      if (isDrawn) terminal.write(CLEAR_LINE);
    },
  };
}
