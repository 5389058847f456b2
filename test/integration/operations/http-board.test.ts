/** The board over HTTP: as it is, as it changes, and as it was. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type BoardAnswer,
  type BoardChange,
  boardChangeSchema,
  boardSchema,
  NOTE_LENGTH,
  SETTLED_CARDS,
} from '../../../src/contracts/api/board.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp } from '../../support/http/http.ts';
import { type ParseData, SseConnection } from '../../support/http/sse.ts';

let http: TestHttp;
let gate: Gate;

beforeEach(async () => {
  gate = new Gate();
  http = await startHttp({
    agents: [
      functionAgent('worker', gate.handler, { concurrency: 4 }),
      functionAgent('quick', () => 'ok', { concurrency: 50 }),
    ],
  });
});
afterEach(async () => {
  gate.open();
  await http[Symbol.asyncDispose]();
});

async function read(query = ''): Promise<BoardAnswer> {
  return boardSchema.parse((await http.get(`/api/board${query}`)).body);
}

const parse: ParseData<BoardAnswer | BoardChange> = (type, data) =>
  type === 'board' ? boardSchema.parse(data) : boardChangeSchema.parse(data);
const follow = (lastEventId?: number): Promise<SseConnection<BoardAnswer | BoardChange>> =>
  SseConnection.follow(`${http.url}/api/board/live`, parse, lastEventId === undefined ? {} : { lastEventId });

const statesIn = ({ cards }: { cards: BoardAnswer['cards'] }): Record<string, string> =>
  Object.fromEntries(cards.map(({ id, status }) => [id, status]));

describe('the board', () => {
  it('has a card for every task that is not settled, with the last progress or reason', async () => {
    await http.working('a');
    await http.post(
      `${TASKS}/a/status`,
      { status: 'working', detail: 'halfway' },
      { token: http.token('a') },
    );
    await http.post(TASKS, { id: 'b', title: 'later', agent: 'worker', delay_seconds: 60, priority: 9 });
    await http.post(TASKS, { id: 'c', title: 'not now', type: 'absent' });
    const comment = 'why '.repeat(NOTE_LENGTH);
    await http.post(`${TASKS}/c/block`, { by: 'ann', comment });
    const { cards, counts, agents, sequence } = await read();
    expect(sequence).toBe(http.events);
    expect(counts).toMatchObject({ working: 1, scheduled: 1, blocked: 1, done: 0 });
    expect(agents.map(({ id, running }) => [id, running])).toEqual([
      ['worker', 1],
      ['quick', 0],
    ]);
    const [a, b, c] = cards;
    expect(a).toMatchObject({
      id: 'a',
      status: 'working',
      attempt_status: 'running',
      agent: 'worker',
      attempt: 1,
      note: 'halfway',
      note_kind: 'progress',
    });
    expect(a?.deadline).not.toBeNull();
    expect(b).toMatchObject({
      id: 'b',
      status: 'scheduled',
      priority: 9,
      attempt: 0,
      attempt_status: null,
      note: null,
      note_kind: null,
    });
    expect(b?.due_at).not.toBeNull();
    expect(c).toMatchObject({ id: 'c', status: 'blocked', agent: null, type: 'absent' });
    expect(c?.note).toHaveLength(NOTE_LENGTH);
    expect(c?.note_kind).toBe('reason');
  });

  it('has cards of the newest settled tasks, and counts all of them', async () => {
    const count = SETTLED_CARDS + 20;
    const ids = Array.from({ length: count }, (_, index) => `t${index}`);
    await Promise.all(ids.map((id) => http.post(TASKS, { id, title: id, agent: 'quick', review: 'auto' })));
    for (const id of ids) await http.test.until(id, ({ state }) => state === 'done');
    const { cards, counts } = await read();
    expect([cards.length, counts.done]).toEqual([SETTLED_CARDS, count]);
    const shown = new Set(cards.map(({ finished_at }) => finished_at ?? ''));
    const oldest = [...shown].sort()[0] ?? '';
    const left = [...http.test.app.state.projections.blackboard.tasks.values()].filter(
      ({ id }) => !cards.some((card) => card.id === id),
    );
    expect(left).toHaveLength(20);
    for (const { finishedAt } of left) expect(finishedAt).toBeLessThanOrEqual(Date.parse(oldest));
  });

  it('can be followed: first all of it, then the changes, and after a reconnect only newer ones', async () => {
    await http.working('a');
    const first = await follow();
    await first.until(() => first.events.length === 1);
    expect(first.events[0]).toMatchObject({
      type: 'board',
      data: { cards: [{ id: 'a', status: 'working' }] },
    });
    await http.post(TASKS, { id: 'b', title: 'b', agent: 'worker', delay_seconds: 60 });
    await first.until(() => first.events.some(({ data }) => 'b' in statesIn(data)));
    for (const { type, data } of first.events.slice(1))
      expect([type, 'a' in statesIn(data)]).toEqual(['change', false]);
    const known = first.lastEventId ?? 0;
    first.close();
    await first.ended;

    await http.post('/api/agents/quick/pause', { by: 'ann' });
    await http.post(`${TASKS}/b/block`, { by: 'ann' });
    const second = await follow(known);
    await second.until(() => second.events.some(({ data }) => statesIn(data).b === 'blocked'));
    expect(second.events.map(({ type }) => type)).not.toContain('board');
    const agents = second.events.flatMap(({ data }) => data.agents ?? []);
    expect(agents).toContainEqual(expect.objectContaining({ id: 'quick', state: 'paused', by: 'ann' }));
    expect(second.events.at(-1)?.data.counts).toMatchObject({ working: 1, blocked: 1 });
    second.close();
    await second.ended;

    // Who says that it knows more than there is has followed another log.
    const stranger = await follow(http.events + 1_000);
    await stranger.until(() => stranger.events.length > 0);
    expect(stranger.events[0]?.type).toBe('board');
    stranger.close();
    await stranger.ended;
  });

  it('can be read as it was after each event, with that event, and by time', async () => {
    await http.working('a');
    const working = await read();
    await http.post(`${TASKS}/a/cancel`, { by: 'ann' });
    await http.test.until('a', ({ state, openAttempt }) => state === 'cancelled' && openAttempt === null);
    const past = await read(`?at=${working.sequence}`);
    const { event, time, ...then } = past;
    expect(then).toEqual({ ...working, time: undefined });
    expect(event).toMatchObject({
      sequence: working.sequence,
      event: { type: 'attempt.started', task: 'a' },
    });
    expect(statesIn(await read(`?at=${time}`)).a).toBe('working');
    expect(statesIn(await read('?at=0s ago')).a).toBe('cancelled');
    expect(statesIn(await read(`?at=${http.events}&project=other`))).toEqual({});

    for (const [at, code, status] of [
      ['1000000', 'no_such_moment', 404],
      ['0', 'no_such_moment', 404],
      ['2001-01-01T00:00:00Z', 'no_such_moment', 404],
      ['yesterday', 'invalid_request', 400],
    ] as const) {
      problemIn(await http.get(`/api/board?at=${at}`), status, code);
    }
  });
});
