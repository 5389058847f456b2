/** The board, for a page that shows it: now, as it changes, and at any moment of the past. */
import type { AppContext } from '../../app/context.ts';
import { Past } from '../../app/events/past.ts';
import { boardChange, pastBoard, readBoard } from '../../app/overview/read-board.ts';
import { boardSchema } from '../../contracts/api/board.ts';
import { followBoardSchema, readBoardSchema } from '../../contracts/api/requests.ts';
import { parseMoment } from '../../engine/replay/moment.ts';
import { EVENT_STREAM_HEADERS, message, once, streamBatches } from '../../http/event-stream.ts';
import { json, nothing, nowhere, type Serve } from '../operation.ts';
import { assertRoom, type EventRoutes, lastEventId } from './events.ts';

/** Events after which a client that comes back is better served with a whole board. */
const CATCH_UP_EVENTS = 5_000;

export function serveBoard(serve: Serve, app: AppContext, routes: EventRoutes): void {
  const { feed, heartbeatMs, stallMs } = routes;
  const past = new Past(app);
  const encode = once((batch) => message(batch.upTo, 'change', JSON.stringify(boardChange(app, batch))));
  serve({
    name: 'readBoard',
    group: 'Tasks',
    summary:
      'Every task that is not settled and the newest of the others, each as a small card; and the agents',
    access: 'read',
    method: 'GET',
    path: '/api/board',
    address: nowhere,
    query: readBoardSchema,
    body: nothing,
    answers: { 200: json(boardSchema, 'The board, as it is or as it was.') },
    refusals: ['no_such_moment', 'past_pending'],
    handle: async ({ query: { at, project }, gone }) => {
      if (at === undefined) return { status: 200, body: readBoard(app, project) };
      const moment = parseMoment(at, app.environment.clock.now());
      const board = await past.at(moment, gone, (state, record) => pastBoard(state, record, project));
      return { status: 200, body: board };
    },
  });
  serve({
    name: 'followBoard',
    group: 'Tasks',
    summary: 'The board, and then what changes on it',
    access: 'read',
    method: 'GET',
    path: '/api/board/live',
    address: nowhere,
    query: followBoardSchema,
    body: nothing,
    headers: { 'Last-Event-ID': 'The board as of this event is known: begin with what has changed since.' },
    answers: {
      200: {
        description:
          'Server-sent events without end: "board" with a whole board as JSON, then "change" with what is different since. "id" is the place in the log.',
        mediaType: 'text/event-stream',
      },
    },
    refusals: ['overloaded'],
    handle: async ({ query: { project }, headers, gone, isAdmitted }) => {
      assertRoom(routes);
      const known = lastEventId(headers);
      const isBehind = known === undefined || known > feed.end || feed.end - known > CATCH_UP_EVENTS;
      const board = isBehind ? readBoard(app, project) : null;
      const follower = feed.follow({ after: board?.sequence ?? known, filter: { project }, signal: gone });
      const first = board ? message(board.sequence, 'board', JSON.stringify(board)) : '';
      const options = { clock: app.environment.clock, heartbeatMs, stallMs, gone, isAdmitted };
      return {
        status: 200,
        headers: EVENT_STREAM_HEADERS,
        stream: (out) => streamBatches(out, follower, encode, options, first),
      };
    },
  });
}
