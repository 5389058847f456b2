import { jetstream } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import type { AgentAnswerMessage } from '../../../src/contracts/messages/agent-messages.ts';
import { AGENT_STREAM, agentSubject } from '../../../src/contracts/messages/subjects.ts';
import { RawAgent } from '../../support/nats/raw-agent.ts';
import { REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { until } from '../../support/until.ts';

/** Several times what may wait. */
const FLOOD = Number(process.env.SIGNALBOX_TEST_FLOOD ?? 6_000);

/** As JSON, without the braces. */
const fields = (word: object): string => JSON.stringify(word).slice(1, -1);

/** For raw agents, which send no heartbeats. */
const PATIENT = { ...REMOTE, offline_after_seconds: 600 };

const RESULT = { status: 'completed', metadata: { completedAt: '2026-01-01T00:00:00Z', duration: 5 } };

describe('a message of an agent over NATS', () => {
  it('messages/acted-on-once: is acted on, answered and removed from the stream; sent again, it counts once', async () => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT } });
    const connection = await world.connect();
    const agent = new RawAgent(connection, 'far');
    await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far' });
    const word = await agent.begin();
    const output = { ...word, id: 'out-1', title: 'one', content: 'the only one' };
    for (let time = 0; time < 3; time++) {
      // Each time as another message of the stream, as after an acknowledgement that was lost.
      expect(await agent.say('output', output, `copy-${time}`)).toMatchObject({ ok: true });
    }
    expect(
      (await world.box.readTask({ project: 'demo', task: 'a', expand: 'outputs' })).outputs?.map(
        ({ content }) => content,
      ),
    ).toEqual(['the only one']);
    expect(await agent.say('result', { ...word, ...RESULT }, 'end')).toMatchObject({ ok: true });
    expect((await world.box.settledTask({ project: 'demo', task: 'a' })).status).toBe('done');
    expect(await agent.say('result', { ...word, ...RESULT, id: 'end' }, 'end-again')).toMatchObject({
      ok: true,
    });
    const manager = await jetstream(connection).jetstreamManager();
    await until(
      async () => (await manager.streams.info(AGENT_STREAM)).state.messages === 0,
      'all are handled',
    );
    expect((await world.box.listAttempts({ project: 'demo', task: 'a' })).attempts).toMatchObject([
      { outcome: 'completed', rejected_messages: [] },
    ]);
  });

  it('messages/acted-on-once: counts once if Signalbox was killed before it acknowledged it', async () => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT } });
    const connection = await world.connect();
    const agent = new RawAgent(connection, 'far');
    await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far' });
    const word = await agent.begin();
    await agent.say('output', { ...word, title: 'one', content: 'the only one' }, 'out-1');
    await agent.say('comment', { ...word, body: 'said once' }, 'say-1');
    await world.down();
    // What a server brings back that had lost the acknowledgements.
    const again = (kind: 'output' | 'comment', body: object, id: string, copy: string) =>
      jetstream(connection).publish(
        agentSubject('far', kind),
        JSON.stringify({ type: kind, id, ...word, ...body }),
        {
          msgID: copy,
        },
      );
    await again('output', { title: 'one', content: 'the only one' }, 'out-1', 'x1');
    await again('comment', { body: 'said once' }, 'say-1', 'x2');
    await world.up();
    expect(await agent.say('comment', { ...word, body: 'and more' }, 'say-2')).toMatchObject({ ok: true });
    const { outputs, comments } = await world.box.readTask({ project: 'demo', task: 'a', expand: 'all' });
    expect(outputs).toHaveLength(1);
    expect(comments?.map(({ body }) => body)).toEqual(['said once', 'and more']);
  });

  it('is rejected with a reason if it is invalid, and listed', async () => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT, other: PATIENT } });
    const agent = new RawAgent(await world.connect(), 'far');
    const other = new RawAgent(await world.connect(), 'other');
    await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far' });
    const word = await agent.begin();
    const refusals: [string, Promise<AgentAnswerMessage>][] = [
      ['invalid_request', agent.say('status', '{"type":')],
      ['invalid_request', agent.say('comment', `{"type":"comment",${fields(word)},"body":"a","body":"b"}`)],
      [
        'invalid_request',
        agent.say('comment', String.raw`{"type":"comment",${fields(word)},"body":"\ud800"}`),
      ],
      ['invalid_request', agent.say('comment', { ...word, body: 'two ids' }, 'id-1', 'id-2')],
      ['invalid_request', agent.say('status', { ...word, status: 'dancing' })],
      ['invalid_request', agent.say('status', { ...word, status: 'working', mood: 'good' })],
      ['invalid_request', agent.say('song', { ...word })],
      ['invalid_request', agent.say('output', { ...word, title: 'neither' })],
      ['invalid_request', agent.say('output', { ...word, title: 't', content_path: '/etc/passwd' })],
      ['body_too_large', agent.say('comment', { ...word, body: 'x'.repeat(900_000) })],
      ['task_not_found', agent.say('status', { ...word, taskId: 'none', status: 'working' })],
      ['unauthorized', agent.say('status', { ...word, token: 'guessed', status: 'working' })],
      ['unauthorized', agent.say('status', { ...word, attempt: 7, status: 'working' })],
      [
        'forbidden',
        agent.say('heartbeat', { agent: 'other', status: 'idle', timestamp: '2026-01-01T00:00:00Z' }),
      ],
      ['forbidden', other.say('comment', { ...word, body: 'with a token that is not mine' })],
      ['output_required', agent.say('status', { ...word, status: 'review' })],
      ['stale_attempt', agent.say('status', { ...word, status: 'working', worker: { id: 'a-second-one' } })],
    ];
    for (const [code, answer] of refusals) expect(await answer).toMatchObject({ ok: false, code });
    const unknown = new RawAgent(await world.connect(), 'absent');
    expect(await unknown.say('status', { ...word, status: 'working' })).toMatchObject({
      code: 'agent_not_found',
    });

    const listed = await world.rejected('far');
    expect(listed).toHaveLength(refusals.length - 1);
    expect(listed.every(({ reason, time }) => reason !== '' && time !== '')).toBe(true);
    expect((await world.rejected('other')).map(({ code }) => code)).toEqual(['forbidden']);
    expect((await world.box.readTask({ project: 'demo', task: 'a' })).status).toBe('working');
  });

  it(`rejects ${FLOOD} bad messages of one agent in bounded memory, and acts on those of others meanwhile`, {
    timeout: 60_000 + 3 * FLOOD,
  }, async () => {
    await using world = await RemoteWorld.start({ agents: { bad: PATIENT, good: PATIENT } });
    await world.worker({ agent: 'good', default: () => 'fine' });
    await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'bad' });
    const connection = await world.connect();
    const word = await new RawAgent(connection, 'bad').begin();
    const bad = [
      () => 'no json at all',
      () => JSON.stringify({ ...word, type: 'status', status: 'dancing' }),
      () => JSON.stringify({ ...word, type: 'status', status: 'working', token: 'guessed' }),
      () => JSON.stringify({ ...word, type: 'status', status: 'working', taskId: 'none' }),
      () => JSON.stringify({ ...word, type: 'status', status: 'working', worker: { id: 'another' } }),
      () => 'x'.repeat(10_000),
    ];
    const kinds = ['status', 'output', 'log', 'unheard_of'];
    const client = jetstream(connection);
    let sent = 0;
    let accepted = 0;
    let refusedByServer = 0;
    const flood = async (): Promise<void> => {
      while (accepted < FLOOD) {
        const index = sent++;
        const subject = agentSubject('bad', kinds[index % kinds.length] as 'status');
        await client
          .publish(subject, bad[index % bad.length]?.() ?? '', { timeout: 20_000 })
          .then(() => accepted++)
          .catch(() => refusedByServer++);
      }
    };
    const memory: number[] = [];
    const latencies: number[] = [];
    const flooding = Promise.all(Array.from({ length: 32 }, flood));
    let isOver = false;
    void flooding.then(() => {
      isOver = true;
    });
    for (let index = 0; !isOver; index++) {
      const begin = performance.now();
      await world.box.createTask({ project: 'demo', id: `g${index}`, title: 'g', agent: 'good' });
      expect((await world.box.settledTask({ project: 'demo', task: `g${index}` })).status).toBe('done');
      latencies.push(performance.now() - begin);
      memory.push(process.memoryUsage().heapUsed);
    }
    await flooding;
    const manager = await jetstream(connection).jetstreamManager();
    const pending = async (): Promise<number> => (await manager.streams.info(AGENT_STREAM)).state.messages;
    await until(async () => (await pending()) === 0, 'all are refused', 30_000);
    if (process.env.SIGNALBOX_TEST_FLOOD) {
      const mb = (bytes: number): number => Math.round(bytes / 1e6);
      process.stdout.write(
        `${JSON.stringify({ accepted, refusedByServer, tasks: latencies.length, slowest: Math.round(Math.max(...latencies)), heap: memory.map(mb).filter((_, index) => index % Math.ceil(memory.length / 20) === 0), rss: mb(process.memoryUsage().rss) })}\n`,
      );
    }
    expect(latencies.length).toBeGreaterThan(0);
    expect(Math.max(...latencies)).toBeLessThan(5_000);
    expect((await world.rejected('bad')).length).toBe(100);
    expect((await world.box.readTask({ project: 'demo', task: 'a' })).status).toBe('working');
  });
});
