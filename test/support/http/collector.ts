/** A trace collector over OTLP/HTTP that keeps requests, rejects those that violate the protocol, and answers as a test configures it. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const hex = (digits: number) => z.string().regex(new RegExp(`^(?!0+$)[\\da-f]{${digits}}$`));
const nanoseconds = z.string().regex(/^\d{19}$/);
const value = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
  z.strictObject({ doubleValue: z.number() }),
]);
const attributes = z.array(z.strictObject({ key: z.string().min(1), value })).transform((list) =>
  Object.fromEntries(
    list.map(({ key, value: each }) => {
      if ('stringValue' in each) return [key, each.stringValue];
      return [key, 'intValue' in each ? Number(each.intValue) : each.doubleValue];
    }),
  ),
);

const spanSchema = z.strictObject({
  traceId: hex(32),
  spanId: hex(16),
  traceState: z.string().optional(),
  parentSpanId: hex(16).optional(),
  flags: z.int().min(0).max(0xff),
  name: z.string().min(1),
  kind: z.int().min(1).max(5),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes,
  events: z.array(z.strictObject({ timeUnixNano: nanoseconds, name: z.string().min(1), attributes })),
  droppedEventsCount: z.int().min(0),
  links: z.array(
    z.strictObject({
      traceId: hex(32),
      spanId: hex(16),
      traceState: z.string().optional(),
      flags: z.int(),
      attributes,
    }),
  ),
  droppedLinksCount: z.int().min(0),
  status: z.union([z.strictObject({}), z.strictObject({ code: z.literal(2) })]),
});
export type CollectedSpan = z.output<typeof spanSchema>;

const requestSchema = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string(), version: z.string() }),
          spans: z.array(spanSchema).min(1),
        }),
      ),
    }),
  ),
});

export interface Collected {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly resource: Readonly<Record<string, string | number>>;
  readonly spans: readonly CollectedSpan[];
  /** Of the answer. */
  readonly status: number;
}

export type Behaviour =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** Accepts the request and never answers. */
  | 'hangs';

export class Collector implements AsyncDisposable {
  /** The requests that were answered. */
  readonly requests: Collected[] = [];
  /** Number of requests, answered or not. */
  arrived = 0;
  behaviour: () => Behaviour = () => ({ status: 200, body: { partialSuccess: {} } });
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      this.arrived++;
      this.#answer(request.url ?? '', request.headers, Buffer.concat(chunks).toString(), response);
    });
  }

  /** @param port of an earlier collector, to replace it */
  static async start(port = 0): Promise<Collector> {
    const collector = new Collector();
    collector.#server.listen(port, '127.0.0.1');
    await once(collector.#server, 'listening');
    return collector;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The accepted spans, in order of arrival. */
  get spans(): readonly CollectedSpan[] {
    return this.requests.filter(({ status }) => status === 200).flatMap(({ spans }) => spans);
  }

  /** The accepted spans of a task: its attempts, then the task itself. */
  spansOf(task: string): readonly CollectedSpan[] {
    return this.spans.filter((span) => span.attributes['signalbox.task.id'] === task);
  }

  #answer(path: string, headers: IncomingHttpHeaders, text: string, response: ServerResponse): void {
    const parsed = requestSchema.safeParse(JSON.parse(text));
    const told = parsed.success ? this.behaviour() : { status: 400, body: z.prettifyError(parsed.error) };
    if (told === 'hangs') return;
    const [first] = parsed.success ? parsed.data.resourceSpans : [];
    const spans = first?.scopeSpans.flatMap((scope) => scope.spans) ?? [];
    const resource = first?.resource.attributes ?? {};
    this.requests.push({ path, headers, text, resource, spans, status: told.status });
    response.writeHead(told.status, { 'content-type': 'application/json', ...told.headers });
    response.end(told.body === undefined ? '' : JSON.stringify(told.body));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
