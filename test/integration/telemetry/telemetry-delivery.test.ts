/** A collector that is unavailable, slow or refusing affects spans only. */
import { readFile, writeFile } from 'node:fs/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { functionAgent, type TestEngine } from '../../support/engine.ts';
import { Collector } from '../../support/http/collector.ts';
import { TracedWorld } from '../../support/http/telemetry.ts';
import { until } from '../../support/until.ts';

let collector: Collector;
let world: TracedWorld;
beforeEach(async () => {
  collector = await Collector.start();
  world = await TracedWorld.make();
});
afterEach(async () => {
  await collector[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const agents = [functionAgent('worker', () => 'ok', { concurrency: 50 })];

async function run(test: TestEngine, ...ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => test.create({ id, agent: 'worker' })));
  await Promise.all(ids.map((id) => test.until(id, ({ state }) => state === 'done')));
}

/** The spans that the collector has accepted, by task and name. */
const taken = (): string[] =>
  collector.spans.map(({ name, attributes }) => `${attributes['signalbox.task.id']} ${name}`);

const bothOf = (...ids: readonly string[]): string[] =>
  ids.flatMap((id) => [`${id} invoke_agent worker`, `${id} signalbox.task`]);

const arrived = (count: number): Promise<void> =>
  until(() => collector.spans.length >= count, `${count} spans are there`);

interface Listening {
  readonly logger: pino.Logger;
  readonly messages: () => string[];
  /** The number of lost spans in the newest message. */
  readonly lost: () => number | undefined;
}

function listening(): Listening {
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  return {
    logger,
    messages: () => lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
    lost: () => (JSON.parse(lines.at(-1) ?? '{}') as { lost?: number }).lost,
  };
}

describe('spans', () => {
  it('wait in the log for an unavailable collector, and arrive once and in order', async () => {
    const { port, url } = collector;
    await collector[Symbol.asyncDispose]();
    const { logger, messages } = listening();
    await using engine = await world.start(url, { agents }, { logger });
    await run(engine.test, 'a', 'b');
    await until(() => messages().length > 0, 'a log message');
    await run(engine.test, 'c');
    collector = await Collector.start(port);
    await arrived(6);
    await run(engine.test, 'd');
    await arrived(8);
    expect(taken().slice(0, 4).sort()).toEqual(bothOf('a', 'b').sort());
    expect(taken().slice(4)).toEqual(bothOf('c', 'd'));
    await until(() => messages().length === 2, 'a log message');
    expect(messages()).toEqual([
      'the trace collector is unavailable: spans wait in the log',
      'the trace collector accepts spans again',
    ]);
  });

  it.each([
    ['is too busy', { status: 503, headers: { 'retry-after': '0' } }],
    ['limits the rate', { status: 429, headers: { 'retry-after': '1' } }],
    ['is behind a gateway that has lost it', { status: 502, body: 'bad gateway' }],
    ['does not answer', 'hangs'],
  ] as const)('are sent again unchanged to a collector that %s', async (_, trouble) => {
    let troubles = 2;
    collector.behaviour = () => (troubles-- > 0 ? trouble : { status: 200, body: {} });
    const limits = trouble === 'hangs' ? { timeoutMs: 300 } : {};
    await using engine = await world.start(collector.url, { agents }, { limits });
    await run(engine.test, 'a');
    await arrived(2);
    expect(collector.arrived).toBeGreaterThanOrEqual(3);
    expect(taken()).toEqual(bothOf('a'));
  });

  it.each([500, 400, 401, 404, 301])(
    'are lost if the collector answers %i, which is logged once; later ones are not',
    async (status) => {
      collector.behaviour = () => ({ status, headers: { location: `${collector.url}/elsewhere` } });
      const { logger, messages, lost } = listening();
      await using engine = await world.start(collector.url, { agents }, { logger });
      await run(engine.test, 'a');
      await until(() => collector.arrived === 1, 'it was refused');
      await run(engine.test, 'b');
      await until(
        () => collector.requests.flatMap(({ spans }) => spans).length === 4,
        'it was refused again',
      );
      collector.behaviour = () => ({ status: 200 });
      await run(engine.test, 'c');
      await arrived(2);
      expect(taken()).toEqual(bothOf('c'));
      expect(collector.requests.every(({ path }) => path === '/v1/traces')).toBe(true);
      await until(() => messages().length === 2, 'a log message');
      expect(messages()).toEqual([
        'the trace collector refuses spans: they are lost',
        'the trace collector accepts spans again',
      ]);
      expect(lost()).toBe(4);
    },
  );

  it('are logged as lost, even if the collector was unavailable before it refused them', async () => {
    let troubles = 2;
    collector.behaviour = () => ({ status: troubles-- > 0 ? 503 : 400 });
    const { logger, messages } = listening();
    await using engine = await world.start(collector.url, { agents }, { logger });
    await run(engine.test, 'a');
    await until(() => messages().length === 2, 'a log message');
    expect(messages()).toEqual([
      'the trace collector is unavailable: spans wait in the log',
      'the trace collector refuses spans: they are lost',
    ]);
  });

  it('are not sent again if the collector accepts a part of them', async () => {
    const partialSuccess = { rejectedSpans: '1', errorMessage: 'too old' };
    collector.behaviour = () => ({ status: 200, body: { partialSuccess } });
    const { logger, messages } = listening();
    await using engine = await world.start(collector.url, { agents }, { logger });
    await run(engine.test, 'a');
    await arrived(2);
    collector.behaviour = () => ({ status: 200, body: {} });
    await run(engine.test, 'b');
    await arrived(4);
    expect(taken()).toEqual(bothOf('a', 'b'));
    expect(messages()).toEqual(['the trace collector rejected some spans']);
  });

  it('of many tasks wait for a hanging collector, few of them in memory, delay no task, and arrive', async () => {
    collector.behaviour = () => 'hangs';
    const limits = { timeoutMs: 300, waiting: 50 };
    await using engine = await world.start(collector.url, { agents }, { limits });
    const ids = Array.from({ length: 150 }, (_, index) => `t${index}`);
    await run(engine.test, ...ids);
    expect(collector.spans).toEqual([]);
    await until(() => engine.telemetry.waiting >= 50, 'it is full');
    expect(engine.telemetry.waiting).toBeLessThanOrEqual(52);
    collector.behaviour = () => ({ status: 200, body: {} });
    await arrived(300);
    await run(engine.test, 'last');
    // One may arrive twice: the collector is given little time to answer.
    await until(() => new Set(taken()).size >= 302, 'all spans are there');
    expect(new Set(taken())).toEqual(new Set(bothOf(...ids, 'last')));
    expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(302);
  });
});

describe('a restart', () => {
  it('sends the remaining spans once, including those that ended in the meantime or end later', async () => {
    const first = await world.start(collector.url, { agents });
    await run(first.test, 'sent');
    await arrived(2);
    collector.behaviour = () => ({ status: 503 });
    await run(first.test, 'unsent');
    let isFirst = true;
    const hanging = functionAgent('slow', ({ signal }) => {
      if (!isFirst) return 'ok';
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
    });
    await first[Symbol.asyncDispose]();
    const second = await world.start(collector.url, { agents: [...agents, hanging] });
    await second.test.create({ id: 'broken', agent: 'slow' });
    await second.test.until('broken', ({ state }) => state === 'working');
    await second[Symbol.asyncDispose]();
    isFirst = false;
    collector.behaviour = () => ({ status: 200, body: {} });
    await using third = await world.start(collector.url, { agents: [...agents, hanging] });
    await third.test.until('broken', ({ state }) => state === 'done');
    await arrived(7);
    await run(third.test, 'last');
    await arrived(9);
    expect(taken()).toEqual([
      ...bothOf('sent', 'unsent'),
      'broken invoke_agent slow',
      'broken invoke_agent slow',
      'broken signalbox.task',
      ...bothOf('last'),
    ]);
    const [lost, completed, task] = collector.spansOf('broken');
    expect(lost?.attributes).toMatchObject({ 'signalbox.attempt': 1, 'error.type': 'lost' });
    expect(lost?.events.map(({ name }) => name)).toEqual(['signalbox.attempt.started']);
    expect(completed?.attributes).toMatchObject({
      'signalbox.attempt': 2,
      'signalbox.attempt.outcome': 'completed',
    });
    expect(task?.attributes['signalbox.task.attempts']).toBe(2);
    expect([lost?.parentSpanId, completed?.parentSpanId]).toEqual([task?.spanId, task?.spanId]);
  });

  it('begins with new events if traces are new, or if the position is not readable', async () => {
    const plain = await world.start('http://127.0.0.1:9', { agents });
    await run(plain.test, 'before');
    await plain[Symbol.asyncDispose]();
    for (const text of ['{"position":', '{"position":1000000}\n']) {
      await writeFile(world.file, text);
      const { logger, messages } = listening();
      await using engine = await world.start(collector.url, { agents }, { logger });
      const id = `next-${text.length}`;
      await run(engine.test, id);
      await until(() => collector.spansOf(id).length === 2, id);
      expect(messages().filter((message) => message.includes('cannot read'))).toHaveLength(
        text.endsWith('\n') ? 0 : 1,
      );
    }
    expect(taken().filter((each) => each.startsWith('before'))).toEqual([]);
  });

  it('sends nothing that the stop has sent', async () => {
    const engine = await world.start(collector.url, { agents }, { limits: { intervalMs: 60_000 } });
    await run(engine.test, 'a');
    const records = await engine.test.history(await engine.test.until('a', () => true));
    const last = records.at(-1)?.sequence ?? 0;
    // The feed delivers new events with a delay.
    await until(() => engine.telemetry.seen >= last, 'it was seen');
    expect(collector.spans).toEqual([]);
    await engine[Symbol.asyncDispose]();
    expect(taken()).toEqual(bothOf('a'));
    expect(JSON.parse(await readFile(world.file, 'utf8'))).toEqual({ position: last });
  });

  it('does not wait for a hanging collector', async () => {
    collector.behaviour = () => 'hangs';
    const engine = await world.start(collector.url, { agents }, { limits: { timeoutMs: 60_000 } });
    await run(engine.test, 'a');
    await until(() => collector.arrived === 1, 'a request is under way');
    const began = performance.now();
    await engine[Symbol.asyncDispose]();
    expect(performance.now() - began).toBeLessThan(4_000);
  });
});
