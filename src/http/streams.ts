/** Events, transcripts and the board as answers: current, past, and as streams. */
import type { IncomingHttpHeaders } from 'node:http';
import { findAttempt } from '../app/attempts/attempts.ts';
import { followTranscript } from '../app/attempts/transcript.ts';
import type { AppContext } from '../app/context.ts';
import type { EventFeed } from '../app/events/event-feed.ts';
import { boardChange, pastBoard, readBoard } from '../app/overview/board.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { digits } from '../contracts/fields.ts';
import type { AttemptRef } from '../contracts/ids.ts';
import type { TranscriptPage } from '../contracts/transcript/schemas.ts';
import { parseMoment } from '../engine/replay/moment.ts';
import { type CallContext, Reply } from '../operations/operation.ts';
import { parse } from '../operations/parse.ts';
import type { StreamService } from '../operations/services.ts';
import {
  EVENT_STREAM_HEADERS,
  encodeEvents,
  message,
  once,
  type Source,
  streamBatches,
} from './event-stream.ts';

export interface StreamSettings {
  readonly app: AppContext;
  readonly feed: EventFeed;
  /** Clients that may follow at the same time; 1,000 by default. */
  readonly maxFollowers?: number;
  /** Milliseconds between heartbeats; 15,000 by default. */
  readonly heartbeatMs?: number;
  /** Milliseconds after which a client that reads nothing is disconnected; 30,000 by default. */
  readonly stallMs?: number;
}

const MAX_FOLLOWERS = 1_000;
const HEARTBEAT_MS = 15_000;
const STALL_MS = 30_000;
/** Missed events above which a reconnecting client gets a whole board instead of the changes. */
const CATCH_UP_EVENTS = 5_000;

export function streamService(settings: StreamSettings): StreamService {
  const {
    app,
    feed,
    maxFollowers = MAX_FOLLOWERS,
    heartbeatMs = HEARTBEAT_MS,
    stallMs = STALL_MS,
  } = settings;
  const { clock } = app.environment;
  const encodeBoard = once((batch) => message(batch.upTo, 'change', JSON.stringify(boardChange(app, batch))));
  const stream = <Item>(
    follower: Source<Item>,
    encode: (batch: Item) => Buffer,
    { isAdmitted }: CallContext,
    gone: AbortSignal,
    first = '',
  ): Reply<never> => {
    const options = { clock, heartbeatMs, stallMs, gone, isAdmitted };
    return new Reply(200, {
      headers: EVENT_STREAM_HEADERS,
      stream: (out) => streamBatches(out, follower, encode, options, first),
    });
  };
  const readers = new TranscriptReaders(app);
  const assertRoom = (): void => {
    const followers = feed.followers + readers.count;
    if (followers < maxFollowers) return;
    throw new SignalboxError(
      'overloaded',
      `${followers} clients follow events and transcripts, the limit is ${maxFollowers} (server.event_streams)`,
    );
  };
  return {
    readBoard: ({ at, project }, gone) => {
      if (at === undefined) return readBoard(app, project);
      return app.past.at(parseMoment(at, clock.now()), gone, (state, record) =>
        pastBoard(state, record, project),
      );
    },
    followBoard: (project, call) => {
      assertRoom();
      const known = lastEventId(call.headers);
      const isBehind = known === undefined || known > feed.end || feed.end - known > CATCH_UP_EVENTS;
      const board = isBehind ? readBoard(app, project) : null;
      const gone = call.gone();
      const follower = feed.follow({ after: board?.sequence ?? known, filter: { project }, signal: gone });
      const first = board ? message(board.sequence, 'board', JSON.stringify(board)) : '';
      return stream(follower, encodeBoard, call, gone, first);
    },
    followEvents: async ({ project, task, type, after }, call) => {
      assertRoom();
      const last = lastEventId(call.headers);
      const filter = { project, task, types: type?.split(',') };
      const gone = call.gone();
      const follower = feed.follow({ after: last ?? after, filter, signal: gone });
      await feed.assertReadable(last ?? after);
      return stream(follower, encodeEvents, call, gone);
    },
    followTranscript: async (attempt, { after }, call) => {
      assertRoom();
      // Before the answer begins: after that, no error can be told.
      await findAttempt(app, attempt);
      const gone = call.gone();
      const source = readers.follow(attempt, lastEventId(call.headers) ?? after, gone);
      return stream(source, encodePart, call, gone);
    },
  };
}

function encodePart(part: TranscriptPage): Buffer {
  return Buffer.from(message(part.next, 'part', JSON.stringify(part)));
}

/** The clients that follow transcripts. */
class TranscriptReaders {
  count = 0;
  readonly #app: AppContext;

  constructor(app: AppContext) {
    this.#app = app;
  }

  follow(attempt: AttemptRef, after: number, gone: AbortSignal): Source<TranscriptPage> {
    const state = { position: after, isComplete: false };
    return {
      get position() {
        return state.position;
      },
      isFinished: () => state.isComplete,
      [Symbol.asyncIterator]: () => this.#parts(attempt, state, gone),
    };
  }

  async *#parts(attempt: AttemptRef, state: { position: number; isComplete: boolean }, gone: AbortSignal) {
    this.count += 1;
    try {
      for await (const part of followTranscript(this.#app, attempt, state.position, gone)) {
        state.position = part.next;
        state.isComplete = part.complete;
        yield part;
      }
    } finally {
      this.count -= 1;
    }
  }
}

const positionSchema = digits(0).optional();

/** The last event of a reconnecting client; undefined for a new one. @throws SignalboxError `invalid_request` */
function lastEventId(headers: IncomingHttpHeaders): number | undefined {
  return parse(positionSchema, headers['last-event-id'], 'Last-Event-ID');
}
