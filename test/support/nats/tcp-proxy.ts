/** A bad network in front of a server: connections through it are held up, swallowed or cut, as the test says. */
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';

export type Direction = 'toServer' | 'toClient';

/** One direction of one connection. */
class Lane {
  mode: 'pass' | 'hold' | 'drop' = 'pass';
  /** Bytes that still pass before the mode counts. */
  allowance = 0;
  readonly #to: Socket;
  #held: Buffer[] = [];

  constructor(from: Socket, to: Socket) {
    this.#to = to;
    from.on('data', (bytes) => this.#carry(bytes as Buffer));
  }

  release(): void {
    this.mode = 'pass';
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) this.#to.write(bytes);
  }

  #carry(bytes: Buffer): void {
    if (this.mode === 'pass') {
      this.#to.write(bytes);
      return;
    }
    const passing = bytes.subarray(0, this.allowance);
    this.allowance -= passing.length;
    if (passing.length > 0) this.#to.write(passing);
    if (this.mode === 'hold') this.#held.push(bytes.subarray(passing.length));
  }
}

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  readonly lanes: Readonly<Record<Direction, Lane>>;
}

export class TcpProxy implements AsyncDisposable {
  readonly #listener: Server;
  readonly #targetPort: number;
  readonly #connections = new Set<Connection>();
  readonly #stranded = new Set<Connection>();
  #refusing = false;
  /** Sees what clients send, before it is carried on. */
  onSent: (text: string) => void = () => {};

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#listener = createServer((client) => this.#accept(client));
  }

  /** @param url of the server, as `nats://127.0.0.1:4222` */
  static async to(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(Number(new URL(url).port));
    proxy.#listener.listen(0, '127.0.0.1');
    await once(proxy.#listener, 'listening');
    return proxy;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** From now on bytes wait until `release`; the first `allowance` bytes pass. */
  hold(direction: Direction, allowance = 0): void {
    for (const { lanes } of this.#connections) Object.assign(lanes[direction], { mode: 'hold', allowance });
  }

  release(direction: Direction): void {
    for (const { lanes } of this.#connections) lanes[direction].release();
  }

  /** From now on bytes vanish. Such a connection can only be cut: what follows would make no sense. */
  drop(direction: Direction): void {
    for (const { lanes } of this.#connections) lanes[direction].mode = 'drop';
  }

  /** Ends all connections at once, for both sides. Held bytes are lost. */
  cut(): void {
    for (const { client, server } of this.#connections) {
      client.destroy();
      server.destroy();
    }
    this.#connections.clear();
  }

  /**
   * Ends all connections for the client only. The server's side stays, and what was held on the way to the server
   * arrives there when `deliverStranded` is called.
   */
  strand(): void {
    for (const connection of this.#connections) {
      this.#stranded.add(connection);
      connection.client.destroy();
    }
    this.#connections.clear();
  }

  deliverStranded(): void {
    for (const { lanes } of this.#stranded) lanes.toServer.release();
  }

  /** While true, new connections are ended at once. */
  set refusing(refusing: boolean) {
    this.#refusing = refusing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    for (const { server } of this.#stranded) server.destroy();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #accept(client: Socket): void {
    client.on('error', () => {});
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const server = dial(this.#targetPort, '127.0.0.1');
    server.on('error', () => {});
    client.setNoDelay();
    server.setNoDelay();
    client.on('data', (bytes) => this.onSent(bytes.toString('latin1')));
    const lanes = { toServer: new Lane(client, server), toClient: new Lane(server, client) };
    const connection: Connection = { client, server, lanes };
    this.#connections.add(connection);
    server.once('close', () => client.destroy());
    client.once('close', () => {
      if (this.#connections.delete(connection)) server.destroy();
    });
  }
}
