/**
 * The HTTP server: a thin adapter over the operations. Origin and access are checked before a body is read. A stop finishes
 * the responses in flight and drops idle connections. Headers are not logged, so tokens are in no log.
 */
import type { AddressInfo } from 'node:net';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import { principalOf } from '../app/agents/agent-messages.ts';
import type { AppContext } from '../app/context.ts';
import type { EventFeed } from '../app/events/event-feed.ts';
import { TaskUpdates } from '../app/events/follow.ts';
import { appServices } from '../app/services.ts';
import type { McpHandler } from '../client/mcp/http.ts';
import type { HealthReport } from '../contracts/api/system-answers.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { Gatekeeper, type PeopleTokens } from '../operations/access/access.ts';
import { assertSingle } from '../operations/headers.ts';
import { OPERATIONS } from '../operations/index.ts';
import { type Operation, provides } from '../operations/operation.ts';
import type { Features, Services } from '../operations/services.ts';
import { answerClientError, answerError, answerNotFound } from './errors.ts';
import { acceptOnlyJson } from './json-body.ts';
import { loggedRequest } from './logged-request.ts';
import { watchMethods } from './methods.ts';
import { Metrics } from './metrics.ts';
import { documentService } from './openapi/page.ts';
import { hostOfRequest, isReachable, originGuard } from './origin.ts';
import { serveDashboard } from './pages/dashboard.ts';
import { serveMcp } from './pages/mcp.ts';
import { RateLimit } from './rate-limit.ts';
import { addRoute } from './routes.ts';
import { streamService } from './streams.ts';
import { Traffic } from './traffic.ts';

export interface HttpServerOptions extends Features {
  readonly app: AppContext;
  readonly logger: Logger;
  /** The address to listen on. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The URL by which clients reach the server, if it differs from the address: a proxy, or a name. */
  readonly publicUrl?: string | undefined;
  readonly maxBodyBytes: number;
  /** Of one client; unlimited if absent. */
  readonly requestsPerSecond?: number;
  /** Tokens of users. Not needed while none exists and only this machine can reach the server. */
  readonly people?: PeopleTokens;
  /** The log as it grows, shared by all followers. */
  readonly feed: EventFeed;
  /** MCP over HTTP; not offered if absent. */
  readonly mcp?: McpHandler;
  /** Clients that may follow the events at the same time; 1,000 by default. */
  readonly maxFollowers?: number;
  /** Milliseconds between heartbeats on a stream of events; 15,000 by default. */
  readonly heartbeatMs?: number;
  /** Milliseconds after which a client that reads nothing is disconnected; 30,000 by default. */
  readonly stallMs?: number;
  readonly version: string;
  readonly health: () => HealthReport;
  /** Rejected messages of agents; none if absent. */
  readonly rejected?: Services['rejected'];
  /** Milliseconds that an answer may wait for the event log; 10,000 by default. */
  readonly answerTimeoutMs?: number;
}

export interface HttpServer {
  /** Such as `http://127.0.0.1:8083`. */
  readonly url: string;
  readonly port: number;
  /** Refuses new requests, finishes responses in flight, and closes every connection. May be called again. */
  close(): Promise<void>;
}

const ANSWER_TIMEOUT_MS = 10_000;
/** For a client to send a whole request. */
const REQUEST_TIMEOUT_MS = 60_000;
/** For a response to be sent after its time limit, when the server stops. */
const SEND_GRACE_MS = 2_000;
/** Longer than a valid id, so that a longer one gets the same error as any other invalid id. */
const MAX_PARAM_LENGTH = 16_384;
const REQUEST_ID_LENGTH = 12;

/** @throws SignalboxError `address_in_use`, `config_invalid` for an address that cannot, or must not, be used */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  assertGuarded(options);
  const http = build(options);
  try {
    await http.listen({ host: options.host, port: options.port });
  } catch (cause) {
    await http.close();
    throw listenError(cause, options);
  }
  const { port } = http.server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    url: `http://${authority(options.host, port)}`,
    port,
    close: () => {
      closed ??= http.close();
      return closed;
    },
  };
}

function build(options: HttpServerOptions): FastifyInstance {
  const { app, health, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
  const { environment } = app;
  const loggerInstance: FastifyBaseLogger = options.logger;
  const http = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => environment.randomId(REQUEST_ID_LENGTH),
    bodyLimit: options.maxBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // Requests that come while it closes get a problem from `Traffic`.
    return503OnClosing: false,
    // Fastify's limit would cut off a stop that waits for a response; `Traffic` has its own limit.
    pluginTimeout: 0,
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
    clientErrorHandler: answerClientError,
  });
  // Node.js would leave out what comes after a thousand header fields, such as another Authorization. Their size is limited.
  http.server.maxHeadersCount = 0;
  const traffic = new Traffic();
  http.addHook('preClose', () => traffic.drain(environment.clock, answerTimeoutMs + SEND_GRACE_MS));
  guard(http, traffic, options);
  acceptOnlyJson(http);
  http.setErrorHandler(answerError);
  http.setNotFoundHandler(answerNotFound);

  const refuseOtherMethods = watchMethods(http);
  const metrics = new Metrics({ app, health, followers: () => options.feed.followers });
  http.addHook('onResponse', async ({ routeOptions }, reply) => {
    metrics.observe(routeOptions.config.operation, reply.statusCode, reply.elapsedTime / 1_000);
  });
  const gatekeeper = gatekeeperOf(options);
  const rateLimit = new RateLimit(options.requestsPerSecond ?? Number.POSITIVE_INFINITY, () =>
    performance.now(),
  );
  const updates = new TaskUpdates(app);
  http.addHook('onClose', async () => {
    updates.close();
    metrics.close();
  });
  const documented: Operation[] = [];
  const services: Services = {
    ...appServices(app, updates),
    health,
    rejected: options.rejected ?? (async () => []),
    audit: options.audit,
    webhooks: options.webhooks,
    background: options.background,
    streams: streamService(options),
    metrics,
    documents: documentService(documented, options.version),
  };
  documented.push(...OPERATIONS.filter(({ needs }) => provides(services, needs)));
  const { clock } = environment;
  const routeOptions = {
    services,
    clock,
    gatekeeper,
    rateLimit,
    limitMs: answerTimeoutMs,
    closing: traffic.closing,
  };
  for (const operation of documented) addRoute(http, operation, routeOptions);
  if (options.mcp) {
    serveMcp(http, app, options.mcp, { gatekeeper, takeTurn: (client) => rateLimit.take(client) });
  }
  serveDashboard(http);
  refuseOtherMethods();
  return http;
}

const NO_TOKENS: PeopleTokens = { isEmpty: true, isOpen: true, find: () => null };

function gatekeeperOf({ app, people = NO_TOKENS, host, publicUrl }: HttpServerOptions): Gatekeeper {
  return new Gatekeeper({
    people,
    mayBeOpen: !isReachable({ host, publicUrl }),
    principalOf: (token, address) => principalOf(app, token, address),
  });
}

/** Hooks for every request and every response. */
function guard(http: FastifyInstance, traffic: Traffic, options: HttpServerOptions): void {
  const checkOrigin = originGuard({ host: options.host, publicUrl: options.publicUrl });
  http.addHook('onRequest', async (request, reply) => {
    const { log } = request;
    reply.raw.once('close', () => {
      log.debug(
        { ...loggedRequest(request), status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
        reply.raw.writableFinished ? 'answered' : 'the client disconnected before the response',
      );
    });
    traffic.enter(reply.raw);
    assertSingle(request.raw.rawHeaders.filter((_, index) => index % 2 === 0));
    assertQueryIsText(request.raw.url);
    checkOrigin({ host: hostOfRequest(request.raw), origin: request.headers.origin });
  });
  http.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    if (traffic.isClosing) reply.header('connection', 'close');
  });
}

/** What cannot be decoded would be taken as it was sent, which is not what was meant. @throws SignalboxError */
function assertQueryIsText(url = ''): void {
  const at = url.indexOf('?');
  if (at < 0 || !url.includes('%', at)) return;
  try {
    decodeURIComponent(url.slice(at + 1));
  } catch (cause) {
    const what =
      'query: "%" must begin the code of a character in UTF-8, such as %C3%A9; the sign itself is %25';
    throw new SignalboxError('invalid_request', what, { cause });
  }
}

/** access/open-on-loopback-only: beyond this machine, every caller needs a token. */
function assertGuarded({ host, publicUrl, people = NO_TOKENS }: HttpServerOptions): void {
  if (!people.isEmpty || !isReachable({ host, publicUrl })) return;
  const place = publicUrl ?? host;
  throw new SignalboxError(
    'config_invalid',
    `other machines can reach ${place} (server.host, server.public_url), and there are no tokens yet: any of them could use this Signalbox. Create one with "signalbox token new NAME --role admin", or listen on 127.0.0.1`,
    { details: { host } },
  );
}

function listenError(cause: unknown, { host, port }: HttpServerOptions): SignalboxError {
  const where = authority(host, port);
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') {
    return new SignalboxError(
      'address_in_use',
      `${where} is in use by another program, perhaps by another Signalbox: stop it, or choose another port with --port`,
      { cause, details: { host, port } },
    );
  }
  return new SignalboxError(
    'config_invalid',
    `Signalbox cannot listen on ${where}: ${messageOf(cause)}. Choose another port with --port, or correct server.host`,
    { cause, details: { host, port } },
  );
}

function authority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
