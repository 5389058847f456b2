/** The client beyond single requests: waiting, caching and following. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import type { EventAnswer } from '../../../src/client/events.ts';
import { readRecords } from '../../../src/journal/codec/cloud-event.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, startHttp } from '../../support/http/http.ts';
import { TcpProxy } from '../../support/nats/tcp-proxy.ts';

const start = (gate = new Gate()) =>
  startHttp({
    agents: [
      functionAgent('slow', gate.handler, { concurrency: 4 }),
      functionAgent('quick', ({ spec }) => `did ${spec.title}`, { capabilities: ['echo'] }),
    ],
  });

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a client that waits', () => {
  it('uses long polling: gets updates at once, with few requests', async () => {
    const gate = new Gate();
    await using http = await start(gate);
    const client = new SignalboxClient({ url: http.url });
    await client.createTask({
      project: 'demo',
      id: 'a',
      title: 'x',
      agent: 'slow',
      review: 'auto',
      outputs: 'optional',
    });
    await http.test.until('a', ({ state }) => state === 'working');
    const requests = vi.spyOn(globalThis, 'fetch');
    const settled = client.settledTask({ project: 'demo', task: 'a' });
    await vi.waitFor(() => expect(requests).toHaveBeenCalledTimes(1));
    gate.open();
    expect((await settled).status).toBe('done');
    expect(requests.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it('gets the next change of a task that it has read', async () => {
    await using http = await start();
    const client = new SignalboxClient({ url: http.url });
    await client.createTask({ project: 'demo', id: 'a', title: 'x', agent: 'slow' });
    await http.test.until('a', ({ state }) => state === 'working');
    const seen = await client.readTask({ project: 'demo', task: 'a' });
    const next = client.updatedTask({ project: 'demo', task: 'a' });
    await client.addComment({ project: 'demo', task: 'a', author: 'ann', body: 'x' });
    expect((await next).comment_count).toBe(1);
    expect((await next).sequence).toBeGreaterThan(seen.sequence);
  });
});

describe('the cache of a client', () => {
  it('requests no finished job again, and gets no unchanged task again', async () => {
    await using http = await start();
    const client = new SignalboxClient({ url: http.url });
    const { task_id } = await client.createJob(
      { task_type: 'echo', description: 'say hello' },
      { idempotencyKey: 'k' },
    );
    const done = await client.settledJob(task_id);
    expect(done).toMatchObject({ status: 'completed', result: { text: 'did say hello' } });
    const requests = vi.spyOn(globalThis, 'fetch');
    expect(await client.readJob({ task: task_id })).toBe(done);
    expect(requests).not.toHaveBeenCalled();

    const first = await client.readTask({ project: 'default', task: task_id });
    expect(await client.readTask({ project: 'default', task: task_id })).toBe(first);
    expect(requests).toHaveBeenCalledTimes(2);
    await client.addComment({ project: 'default', task: task_id, author: 'ann', body: 'x' });
    expect((await client.readTask({ project: 'default', task: task_id })).comment_count).toBe(1);
  });

  it('drops the entries that were used longest ago', async () => {
    await using http = await start();
    const client = new SignalboxClient({ url: http.url, cacheSize: 2 });
    const ids: string[] = [];
    for (const description of ['a', 'b', 'c']) {
      const { task_id } = await client.createJob({ task_type: 'echo', description });
      await client.settledJob(task_id);
      ids.push(task_id);
    }
    const requests = vi.spyOn(globalThis, 'fetch');
    for (const id of ids.slice(1)) await client.readJob({ task: id });
    expect(requests).not.toHaveBeenCalled();
    await client.readJob({ task: ids[0] ?? '' });
    expect(requests).toHaveBeenCalledTimes(1);
  });
});

describe('a client that follows', () => {
  it('gets each event once, in order, over broken connections', async () => {
    await using http = await start();
    await using proxy = await TcpProxy.to(http.url);
    const client = new SignalboxClient({ url: proxy.url.replace('nats:', 'http:'), retry: { initialMs: 5 } });
    const stop = new AbortController();
    const received: EventAnswer[] = [];
    let away = 0;
    const following = (async () => {
      const query = { project: 'demo', after: 0, signal: stop.signal, onAway: () => away++ };
      for await (const event of client.followEvents(query)) received.push(event);
    })();
    const has = (task: string) =>
      vi.waitFor(
        () =>
          expect(
            received.some((each) => each.event.task === task && each.event.type === 'task.approved'),
          ).toBe(true),
        10_000,
      );
    const direct = new SignalboxClient({ url: http.url });
    for (const id of ['a', 'b', 'c']) {
      await direct.createTask({ project: 'demo', id, title: 'x', agent: 'quick', review: 'auto' });
      await has(id);
      proxy.cut();
    }
    stop.abort();
    await following;
    expect(away).toBeGreaterThanOrEqual(1);
    const expected = http.log.messages.flatMap((message) =>
      message.subject.startsWith('signalbox.v1.evt.demo.') ? readRecords(message) : [],
    );
    expect(received.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
  });

  it('ends with an error that a retry cannot fix', async () => {
    await using http = await start();
    const client = new SignalboxClient({ url: http.url });
    const following = client.followEvents({ after: 1_000_000 }).next();
    await expect(following).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
