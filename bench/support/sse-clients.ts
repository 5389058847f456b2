/**
 * The clients of bench/measure/sse.ts, in a process of their own: plain connections that count events and check their order.
 * Arguments: port, number of clients, path. Sends `ready`; on `{ expect: n }` it reports when each client has n events, or
 * after 20 s.
 */
import { connect } from 'node:net';

export interface SseReport {
  readonly events: number;
  /** Events that were missing, duplicated or out of order. */
  readonly faults: number;
  /** Clients that did not receive all events in time. */
  readonly behind: number;
}

const PATIENCE_MS = 20_000;
const LOOK_MS = 20;
const EVENT_LINE = Buffer.from('\nevent: ');

class Client {
  count = 0;
  faults = 0;
  #last = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(port: number, path: string, onOpen: () => void) {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', onOpen);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
  }

  /** The number before each `event:` line is the id. */
  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let from = 0;
    for (let at = bytes.indexOf(EVENT_LINE); at !== -1; at = bytes.indexOf(EVENT_LINE, from)) {
      const start = bytes.lastIndexOf(' ', at - 1) + 1;
      const id = Number(bytes.toString('latin1', start, at));
      if (id <= this.#last) this.faults++;
      this.#last = id;
      this.count++;
      from = at + EVENT_LINE.length;
    }
    // An id may be split between chunks: the end is kept, which is shorter than an event.
    this.#rest = bytes.subarray(Math.max(from, bytes.length - 64));
  }
}

const [port = '', number = '', path = ''] = process.argv.slice(2);
let open = 0;
const clients = Array.from({ length: Number(number) }, () => {
  return new Client(Number(port), path, () => {
    if (++open === Number(number)) process.send?.('ready');
  });
});

process.on('message', ({ expect }: { readonly expect: number }) => {
  const begun = performance.now();
  const timer = setInterval(() => {
    const behind = clients.filter(({ count }) => count < expect).length;
    if (behind > 0 && performance.now() - begun < PATIENCE_MS) return;
    clearInterval(timer);
    const report: SseReport = {
      events: clients.reduce((sum, { count }) => sum + count, 0),
      faults: clients.reduce((sum, { faults, count }) => sum + faults + Math.max(0, count - expect), 0),
      behind,
    };
    process.send?.(report, () => process.exit(0));
  }, LOOK_MS);
});
