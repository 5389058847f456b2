/** A receiver of webhooks that keeps requests, verifies their signatures by the standard, and answers as a test configures it. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly id: string;
  readonly isSigned: boolean;
  readonly traceparent: string | null;
  readonly body: {
    readonly sequence: number;
    readonly event: { readonly type: string; readonly task?: string };
    readonly answer_link?: { readonly url: string; readonly page: string };
  };
  /** Of the answer. */
  readonly status: number;
}

export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  /** Decides the status, and possibly a redirect, of the answer to the next request. */
  answer: (received: Omit<Received, 'status'>) => number | { status: number; location: string } = () => 204;
  readonly #server: Server;

  private constructor(secret: Buffer) {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const header = (name: string): string => String(request.headers[name] ?? '');
      const id = header('webhook-id');
      const time = header('webhook-timestamp');
      const expected = createHmac('sha256', secret).update(`${id}.${time}.${text}`).digest('base64');
      const isFresh = Math.abs(Date.now() / 1_000 - Number(time)) < 300;
      const isSigned = header('webhook-signature').split(' ').includes(`v1,${expected}`) && isFresh;
      const traceparent = header('traceparent') || null;
      const told = this.answer({ id, isSigned, traceparent, body: JSON.parse(text) });
      const { status, location } = typeof told === 'number' ? { status: told, location: undefined } : told;
      this.received.push({ id, isSigned, traceparent, body: JSON.parse(text), status });
      response.writeHead(status, location === undefined ? {} : { location }).end();
    });
  }

  static async start(secret: Buffer, port = 0): Promise<Receiver> {
    const receiver = new Receiver(secret);
    receiver.#server.listen(port, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Types and tasks of the accepted events, in order of arrival. */
  get taken(): string[] {
    return this.received
      .filter(({ status }) => status < 300)
      .map(({ body: { event } }) => `${event.type} ${event.task ?? ''}`.trim());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
