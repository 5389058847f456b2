/** The log as it grows. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { AppContext } from '../../app/context.ts';
import type { EventFeed } from '../../app/events/event-feed.ts';
import { followEventsSchema } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { EVENT_STREAM_HEADERS, encodeEvents, streamBatches } from '../../http/event-stream.ts';
import {
  type Answer,
  type Call,
  type Content,
  inProject,
  nothing,
  nowhere,
  type Serve,
} from '../operation.ts';
import { parse } from '../parse.ts';

export interface EventRoutes {
  readonly feed: EventFeed;
  /** Clients that may follow at the same time. */
  readonly maxFollowers: number;
  readonly heartbeatMs: number;
  readonly stallMs: number;
}

type Query = z.output<typeof followEventsSchema>;

const STREAM: Content = {
  description:
    'Server-sent events without end: "id" is the place in the log, "event" the type, "data" an Event as JSON.',
  mediaType: 'text/event-stream',
};

const FOLLOW = {
  access: 'read',
  method: 'GET',
  query: followEventsSchema,
  body: nothing,
  headers: { 'Last-Event-ID': 'Begin after this event; the same as "after".' },
  answers: { 200: STREAM },
  refusals: ['overloaded'],
} as const;

const positionSchema = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();

/** Where a client that comes back stopped; undefined for one that does not. @throws SignalboxError `invalid_request` */
export function lastEventId(headers: IncomingHttpHeaders): number | undefined {
  return parse(positionSchema, headers['last-event-id'], 'Last-Event-ID');
}

/** @throws SignalboxError `overloaded` */
export function assertRoom({ feed, maxFollowers }: Pick<EventRoutes, 'feed' | 'maxFollowers'>): void {
  if (feed.followers < maxFollowers) return;
  throw new SignalboxError(
    'overloaded',
    `${feed.followers} clients follow the events, the limit is ${maxFollowers} (server.event_streams)`,
  );
}

export function serveEvents(serve: Serve, app: AppContext, routes: EventRoutes): void {
  const { feed, heartbeatMs, stallMs } = routes;
  const follow = (
    { query, headers, gone, isAdmitted }: Call<unknown, Query, unknown>,
    project: string | undefined,
  ): Answer => {
    assertRoom(routes);
    const { task, type, after } = query;
    const last = lastEventId(headers);
    const filter = { project, task, types: type?.split(',') };
    const follower = feed.follow({ after: last ?? after, filter, signal: gone });
    const options = { clock: app.environment.clock, heartbeatMs, stallMs, gone, isAdmitted };
    return {
      status: 200,
      headers: EVENT_STREAM_HEADERS,
      stream: (out) => streamBatches(out, follower, encodeEvents, options),
    };
  };
  serve({
    ...FOLLOW,
    name: 'followEvents',
    group: 'Events',
    summary: 'Every event of the log from a place on, and then as it comes',
    path: '/api/events',
    address: nowhere,
    handle: async (call) => follow(call, call.query.project),
  });
  serve({
    ...FOLLOW,
    name: 'followProjectEvents',
    group: 'Events',
    summary: 'The same, of one project',
    query: followEventsSchema.omit({ project: true }),
    path: '/api/projects/:project/events',
    address: inProject,
    handle: async (call) => follow(call, call.address),
  });
}
