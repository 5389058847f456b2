/** A client of server-sent events for tests, written from the standard. */
import { eventAnswerSchema } from '../../../src/contracts/api/answers.ts';

type EventAnswer = ReturnType<typeof eventAnswerSchema.parse>;

export interface SseEvent<Data = EventAnswer> {
  readonly id: number;
  readonly type: string;
  readonly data: Data;
}

/** Parses the data of an event by its type. */
export type ParseData<Data> = (type: string, data: unknown) => Data;

export interface SseOptions {
  readonly lastEventId?: number;
  readonly token?: string;
  readonly signal?: AbortSignal;
}

/** A connection: what it has received, and the id that a browser would reconnect with. */
export class SseConnection<Data = EventAnswer> {
  readonly events: SseEvent<Data>[] = [];
  readonly comments: string[] = [];
  lastEventId: number | undefined;
  /** Resolves when the connection is closed, by either side. */
  readonly ended: Promise<void>;
  readonly #controller = new AbortController();
  readonly #parse: ParseData<Data>;
  #looks: (() => void)[] = [];

  private constructor(response: Response, controller: AbortController, parse: ParseData<Data>) {
    this.#parse = parse;
    this.#controller = controller;
    this.ended = this.#read(response).catch(() => {});
  }

  static open(url: string, options: SseOptions = {}): Promise<SseConnection> {
    return SseConnection.follow(url, (_type, data) => eventAnswerSchema.parse(data), options);
  }

  /** Follows a stream whose data are not events of the log. */
  static async follow<Data>(
    url: string,
    parse: ParseData<Data>,
    { lastEventId, token }: SseOptions = {},
  ): Promise<SseConnection<Data>> {
    const controller = new AbortController();
    const response = await fetch(url, {
      signal: controller.signal,
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    if (response.headers.get('content-type') !== 'text/event-stream') throw new Error('not an event stream');
    return new SseConnection(response, controller, parse);
  }

  close(): void {
    this.#controller.abort();
  }

  /** Resolves when the condition holds; fails when the connection ends before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const change = new Promise<'change'>((resolve) => this.#looks.push(() => resolve('change')));
      const next = await Promise.race([change, this.ended.then(() => 'end' as const)]);
      if (next === 'end' && !condition()) throw new Error(`the stream ended at ${this.lastEventId}`);
    }
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
      const looks = this.#looks;
      this.#looks = [];
      for (const look of looks) look();
    }
  }

  #take(block: string): void {
    let type = 'message';
    let data = '';
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (name === '') this.comments.push(value);
      if (name === 'id') this.lastEventId = Number(value);
      if (name === 'event') type = value;
      if (name === 'data') data += value;
    }
    if (data === '') return;
    this.events.push({ id: this.lastEventId ?? -1, type, data: this.#parse(type, JSON.parse(data)) });
  }
}
