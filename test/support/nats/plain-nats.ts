/** A client that speaks the protocol of NATS over a socket, without a library: CONNECT, SUB, HPUB. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';

const INBOX = '_INBOX.plain';

export class PlainNats implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #waiting = new Map<string, (body: object) => void>();
  #count = 0;

  private constructor(socket: Socket, lines: Interface) {
    this.#socket = socket;
    let reply: string | null = null;
    lines.on('line', (line) => {
      const [verb = '', subject = ''] = line.split(' ');
      if (verb === 'PING') socket.write('PONG\r\n');
      if (verb === 'MSG' || verb === 'HMSG') reply = subject;
      // The JSON of a message is one line; its headers are others.
      if (reply === null || !line.startsWith('{')) return;
      this.#waiting.get(reply)?.(JSON.parse(line) as object);
      this.#waiting.delete(reply);
      reply = null;
    });
  }

  static async open(url: string, user: string, pass: string): Promise<PlainNats> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const plain = new PlainNats(socket, createInterface({ input: socket }));
    await once(socket, 'data');
    const options = {
      user,
      pass,
      verbose: false,
      pedantic: false,
      headers: true,
      lang: 'none',
      version: '0',
    };
    socket.write(`CONNECT ${JSON.stringify(options)}\r\nSUB ${INBOX}.* 1\r\n`);
    return plain;
  }

  /** @param header one line; empty for none */
  request(subject: string, body: object, header: string): Promise<object> {
    this.#count += 1;
    const reply = `${INBOX}.${this.#count}`;
    const answered = new Promise<object>((resolve) => this.#waiting.set(reply, resolve));
    const head = `NATS/1.0\r\n${header === '' ? 'X-None: 1' : header}\r\n\r\n`;
    const payload = JSON.stringify(body);
    const total = Buffer.byteLength(head) + Buffer.byteLength(payload);
    this.#socket.write(
      `HPUB ${subject} ${reply} ${Buffer.byteLength(head)} ${total}\r\n${head}${payload}\r\n`,
    );
    return answered;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }
}
