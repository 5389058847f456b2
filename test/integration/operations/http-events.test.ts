/** Server-sent events: each follower gets each event once, in order, whatever happens on the way. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EventFeed, type FeedSettings } from '../../../src/app/events/event-feed.ts';
import { type HttpServer, startHttpServer } from '../../../src/http/server.ts';
import { readRecords } from '../../../src/journal/codec/cloud-event.ts';
import type { PeopleTokens } from '../../../src/operations/access/access.ts';
import { functionAgent, silentLogger, startEngine, type TestEngine } from '../../support/engine.ts';
import { Gate, HEALTHY, MAX_BODY_BYTES, problemIn, startHttp, TASKS } from '../../support/http/http.ts';
import { SseConnection } from '../../support/http/sse.ts';
import { MemoryLog } from '../../support/memory-journal.ts';
import { until } from '../../support/until.ts';

const quick = () => [functionAgent('quick', () => 'ok', { concurrency: 8 })];
/** Sequences of the messages that it got whole; of the others it comes back for all events. */
const sequences = ({ events, lastEventId = 0 }: SseConnection): number[] => [
  ...new Set(events.map(({ data }) => data.sequence).filter((sequence) => sequence <= lastEventId)),
];
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** A Signalbox on a log that outlives it. */
class Box implements AsyncDisposable {
  readonly test: TestEngine;
  readonly feed: EventFeed;
  readonly server: HttpServer;

  constructor(test: TestEngine, feed: EventFeed, server: HttpServer) {
    this.test = test;
    this.feed = feed;
    this.server = server;
  }

  static async start(log: MemoryLog, settings: Partial<FeedSettings> = {}): Promise<Box> {
    const test = await startEngine({ agents: quick() }, log);
    const feed = new EventFeed(test.app, settings);
    const server = await startHttpServer({
      app: test.app,
      feed,
      logger: silentLogger,
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: MAX_BODY_BYTES,
      version: 'test',
      health: () => HEALTHY,
    });
    return new Box(test, feed, server);
  }

  async run(count: number): Promise<void> {
    const tasks = range(1, count).map(() => this.test.create({ agent: 'quick', review: 'auto' }));
    for (const { id } of await Promise.all(tasks)) await this.test.until(id, ({ state }) => state === 'done');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.test[Symbol.asyncDispose]();
  }
}

describe('the event stream', () => {
  // A window that is too small on purpose: followers fall out of it and read on from the log.
  it.each([{}, { windowEvents: 16, intervalMs: 1 }])(
    '40 clients get each event once, in order, over reconnects and a restart (%j)',
    async (settings) => {
      const log = new MemoryLog();
      const received = range(1, 40).map((): number[] => []);
      const ids = received.map((): string[] => []);
      let url = '';
      let goal = Number.POSITIVE_INFINITY;
      /** Comes back with the last id, each at other moments, until it has all. */
      const follow = async (index: number): Promise<void> => {
        const own = received[index] ?? [];
        while ((own.at(-1) ?? 0) < goal) {
          const lastEventId = own.at(-1) ?? 0;
          const connection = await SseConnection.open(`${url}/api/events`, { lastEventId }).catch(() => null);
          if (connection === null) {
            await sleep(5);
            continue;
          }
          const some = 20 + 7 * index;
          const isEnough = () => connection.events.length >= some || (connection.lastEventId ?? 0) >= goal;
          await connection.until(isEnough).catch(() => {});
          connection.close();
          await connection.ended;
          const { events, lastEventId: whole = 0 } = connection;
          const counted = events.filter(({ data }) => data.sequence <= whole);
          ids[index]?.push(...counted.map(({ data }) => data.id));
          own.push(...sequences(connection));
        }
      };
      const first = await Box.start(log, settings);
      url = first.server.url;
      const clients = received.map((_, index) => follow(index));
      await first.run(60);
      await first[Symbol.asyncDispose]();

      await using second = await Box.start(log, settings);
      url = second.server.url;
      await second.run(60);
      await second.test.when(() => (second.test.engine.backlog === 0 ? true : undefined));
      goal = log.messages.length;
      // Who has everything by now learns of the goal with the next event.
      await second.run(1);
      await Promise.all(clients);
      for (const own of received) expect(own).toEqual(range(1, own.length));
      const all = log.messages.flatMap(readRecords).map(({ id }) => id);
      for (const own of ids) expect(own).toEqual(all.slice(0, own.length));
      for (const own of received) expect(own.length).toBeGreaterThanOrEqual(goal);
    },
  );

  it('starts with new events, or after the given sequence', async () => {
    const log = new MemoryLog();
    await using box = await Box.start(log);
    await box.run(2);
    const end = box.feed.end;
    const live = await SseConnection.open(`${box.server.url}/api/events`);
    const all = await SseConnection.open(`${box.server.url}/api/events?after=0`);
    const some = await SseConnection.open(`${box.server.url}/api/events?after=0`, { lastEventId: 5 });
    await live.until(() => live.lastEventId === end);
    await box.run(1);
    for (const each of [live, all, some]) await each.until(() => each.lastEventId === box.feed.end);
    expect(sequences(live)).toEqual(range(end + 1, box.feed.end));
    expect(sequences(all)).toEqual(range(1, box.feed.end));
    expect(sequences(some)).toEqual(range(6, box.feed.end));
    for (const each of [live, all, some]) each.close();
  });

  it('filters by project, task and types', async () => {
    await using http = await startHttp({ agents: quick() });
    for (const [project, id] of [
      ['demo', 'a'],
      ['demo', 'b'],
      ['other', 'a'],
    ]) {
      await http.post(`/api/projects/${project}/tasks`, { id, title: 'x', agent: 'quick', review: 'auto' });
      const path = `/api/projects/${project}/tasks/${id}?wait=10`;
      expect((await http.get(path)).body).toMatchObject({ status: 'done' });
    }
    const found = async (path: string, last: string): Promise<string[]> => {
      const connection = await SseConnection.open(http.url + path);
      await connection.until(() => connection.events.at(-1)?.type === last);
      connection.close();
      return connection.events.map(
        ({ type, data: { event } }) => `${[event.project, event.task].join('/')} ${type}`,
      );
    };
    const whole = await found('/api/projects/demo/events?task=b&after=0', 'task.approved');
    expect(whole[0]).toBe('demo/b task.created');
    expect(new Set(whole.map((line) => line.split(' ')[0]))).toEqual(new Set(['demo/b']));
    const created = await found(
      '/api/events?project=other&type=task.created,attempt.e*&after=0',
      'attempt.ended',
    );
    expect(created).toEqual(['other/a task.created', 'other/a attempt.ended']);
  });

  it('sends heartbeats with a newer id while no event passes the filter', async () => {
    await using http = await startHttp({ agents: quick() }, { heartbeatMs: 20 });
    const connection = await SseConnection.open(`${http.url}/api/events?type=agent.paused`);
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'quick', review: 'auto' });
    await http.test.until('a', ({ state }) => state === 'done');
    const end = http.log.messages.length;
    await connection.until(() => connection.lastEventId === end);
    expect(connection.events).toEqual([]);
    expect(connection.comments).toContain('heartbeat');
    connection.close();
  });

  it('refuses a sequence that the log has not reached, and more clients than the limit', async () => {
    await using http = await startHttp({ agents: quick() }, { maxFollowers: 1 });
    const headers = { 'last-event-id': '1000000' };
    const ahead = problemIn(await http.get('/api/events', { headers }), 400, 'invalid_request');
    expect(ahead.detail).toContain('not the log that you have followed');
    problemIn(await http.get('/api/events', { headers: { 'last-event-id': 'x' } }), 400, 'invalid_request');
    const first = await SseConnection.open(`${http.url}/api/events`);
    problemIn(await http.get('/api/events'), 503, 'overloaded');
    first.close();
    await until(() => http.feed.followers === 0, 'its place to be free');
    (await SseConnection.open(`${http.url}/api/events`)).close();
  });

  it('ends every stream when it stops, without waiting for the clients', async () => {
    await using http = await startHttp({ agents: quick() });
    const connection = await SseConnection.open(`${http.url}/api/events`);
    await connection.until(() => connection.lastEventId !== undefined);
    const begun = performance.now();
    await http.server.close();
    expect(performance.now() - begun).toBeLessThan(1_500);
    await connection.ended;
    expect(connection.comments.join()).toContain('reconnect');
  });

  it('disconnects a client that has lost the right to read', async () => {
    let isKnown = true;
    const people: PeopleTokens = {
      isEmpty: false,
      isOpen: false,
      find: () => (isKnown ? { name: 'ann', role: 'observer' } : null),
    };
    await using http = await startHttp({ agents: quick() }, { people, heartbeatMs: 20 });
    const connection = await SseConnection.open(`${http.url}/api/events`, { token: 'of-ann' });
    await connection.until(() => connection.comments.includes('heartbeat'));
    isKnown = false;
    await connection.ended;
  });
});

describe('a slow client', () => {
  const LARGE = 'x'.repeat(100_000);
  const request = 'GET /api/events?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n';

  async function stalled(stallMs: number) {
    const worker = functionAgent('worker', new Gate().handler);
    const http = await startHttp({ agents: [worker] }, { stallMs });
    const socket = connect(http.server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.pause();
    socket.write(request);
    await http.working('a');
    const token = http.token('a');
    for (let number = 0; number < 100; number++) {
      const output = { type: 'data', title: `${number}`, content: LARGE };
      expect((await http.post(`${TASKS}/a/outputs`, output, { token })).status).toBe(201);
    }
    return { http, socket };
  }

  it('gets every event when it reads again', async () => {
    const { http, socket } = await stalled(60_000);
    await using _http = http;
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.resume();
    const end = http.log.messages.length;
    await until(() => text.includes(`id: ${end}\nevent`), 'all that it was owed');
    const ids = [...text.matchAll(/^id: (\d+)\nevent/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(range(1, end));
    socket.destroy();
  });

  it('is disconnected if it reads nothing for too long', async () => {
    const { http, socket } = await stalled(50);
    await using _http = http;
    await until(() => http.feed.followers === 0, 'it to be cut off');
    socket.destroy();
  });
});
