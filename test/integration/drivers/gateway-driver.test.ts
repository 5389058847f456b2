import { describe, expect, it } from 'vitest';
import { startEngine } from '../../support/engine.ts';
import { GatewayServer } from '../../support/gateway/gateway-server.ts';
import { until } from '../../support/until.ts';
import { agentOf, attemptsOf, begun, finish, given, settled, TEXT } from './gateway-lab.ts';

describe.concurrent('a run inside a Gateway', () => {
  it('is sent with its task, and its answer, usage and session become those of the attempt', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway, undefined, { title: 'Look', timeout_seconds: 90 });
    const run = await begun(gateway);
    await engine.until('t', ({ state }) => state === 'working');
    finish(gateway, run);
    expect(await engine.until('t', settled)).toMatchObject({
      state: 'done',
      outputs: [{ content: TEXT, title: 'Look' }],
    });
    expect(run.params).toMatchObject({
      agentId: 'main',
      lane: 'subagent',
      deliver: false,
      timeout: 90,
      label: 'demo/t #1',
      sessionKey: expect.stringMatching(/^agent:main:subagent:signalbox-[\da-f]{20}$/),
      idempotencyKey: expect.stringMatching(/^signalbox-[\da-f]{20}$/),
      message: expect.stringContaining('# Task: Look'),
    });
    expect(gateway.requests.find(({ method }) => method === 'agent')?.traceparent).toMatch(
      /^00-[\da-f]{32}-[\da-f]{16}-01$/,
    );
    expect(attemptsOf(engine)).toMatchObject([
      {
        outcome: 'completed',
        driver: 'openclaw-gateway',
        session: run.session,
        usage: { input_tokens: 10, output_tokens: 2, cost_usd: 0.5 },
        evidence: { gateway: { run: run.id, session: run.session } },
      },
    ]);
    await until(() => gateway.connections === 0, 'the connection is closed when it is not needed');
  });

  it('of the full agent has another kind of session', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway, agentOf(gateway, { mode: 'agent', agent_id: 'ops' }));
    const run = await begun(gateway);
    expect(run.params.sessionKey).toMatch(/^agent:ops:signalbox-[\da-f]{20}$/);
    expect(run.params).not.toHaveProperty('lane');
    finish(gateway, run);
    await engine.until('t', settled);
  });

  it('that fails or times out there is a failure, and the retry continues its session', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway);
    const first = await begun(gateway);
    gateway.runs.finish(first, { status: 'error', stopReason: 'no model' });
    const second = await begun(gateway, 2);
    gateway.runs.finish(second, { status: 'timeout', stopReason: 'timeout' });
    const third = await begun(gateway, 3);
    finish(gateway, third);
    await engine.until('t', settled);
    expect(attemptsOf(engine).map(({ outcome, error }) => [outcome, error])).toEqual([
      ['failed', 'the run failed: no model'],
      ['failed', 'the run timed out at the Gateway'],
      ['completed', null],
    ]);
    expect(new Set([first.session, second.session, third.session]).size).toBe(1);
    expect(new Set([first.id, second.id, third.id]).size).toBe(3);
  });

  it('that the Gateway refuses is spawn_failed', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway, agentOf(gateway, { agent_id: 'absent' }), { max_attempts: 1 });
    await engine.until('t', settled);
    expect(attemptsOf(engine)).toMatchObject([
      {
        outcome: 'spawn_failed',
        error: expect.stringMatching(/did not start the run: Unknown agent id "absent"$/),
      },
    ]);
  });

  it('is not retried with a wrong token', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway, agentOf(gateway, { token: 'wrong' }), { max_attempts: 1 });
    await engine.until('t', settled);
    expect(attemptsOf(engine)).toMatchObject([
      { outcome: 'spawn_failed', error: expect.stringContaining('unauthorized (AUTH_TOKEN_MISMATCH)') },
    ]);
  });

  it('waits for a Gateway that is still starting', async () => {
    await using gateway = await GatewayServer.start();
    gateway.trouble.startingUp = true;
    await using engine = await given(gateway);
    await until(() => gateway.connections === 0, 'it was sent away');
    gateway.trouble.startingUp = false;
    finish(gateway, await begun(gateway));
    expect(await engine.until('t', settled)).toMatchObject({ state: 'done', attempts: 1 });
  });
});

describe.concurrent('no run is lost or started twice (attempts/started-at-most-once)', () => {
  it('if every answer arrives twice and out of order', async () => {
    await using gateway = await GatewayServer.start();
    gateway.trouble.copies = 2;
    await using engine = await startEngine({ agents: [agentOf(gateway, {}, { concurrency: 3 })] });
    gateway.trouble.reorder = 3;
    const ids = ['a', 'b', 'c'];
    await Promise.all(ids.map((id) => engine.create({ id, agent: 'worker', title: id })));
    await begun(gateway, 3);
    for (const run of gateway.runs.begun.toReversed()) finish(gateway, run, String(run.params.label));
    for (const id of ids) {
      expect(await engine.until(id, settled)).toMatchObject({
        state: 'done',
        attempts: 1,
        outputs: [{ content: `demo/${id} #1` }],
      });
    }
    expect(gateway.runs.begun).toHaveLength(3);
  });

  it.each(['before', 'after'] as const)(
    'when the connection breaks %s the Gateway took it on, and no answer comes',
    async (when) => {
      await using gateway = await GatewayServer.start();
      gateway.trouble.cutAgent = when;
      await using engine = await given(gateway);
      const run = await begun(gateway);
      await until(() => gateway.connections === 1 && gateway.countOf('agent.wait') > 0, 'it asks again');
      finish(gateway, run);
      expect(await engine.until('t', settled)).toMatchObject({
        state: 'done',
        attempts: 1,
        outputs: [{ content: TEXT }],
      });
      expect(gateway.runs.begun).toHaveLength(1);
    },
  );

  it.each([
    ['and it ends while no connection is open', true],
    ['and it ends later', false],
  ])('when the connection breaks while it runs, %s', async (_how, early) => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway);
    const run = await begun(gateway);
    await engine.until('t', ({ state }) => state === 'working');
    gateway.cut();
    if (!early) await until(() => gateway.countOf('agent.wait') > 0, 'it asks again');
    finish(gateway, run);
    expect(await engine.until('t', settled)).toMatchObject({
      state: 'done',
      attempts: 1,
      outputs: [{ content: TEXT }],
    });
    expect(gateway.runs.begun).toHaveLength(1);
  });

  it('when the Gateway is silent: the connection is opened again', async () => {
    await using gateway = await GatewayServer.start(100);
    await using engine = await given(gateway);
    const run = await begun(gateway);
    await engine.until('t', ({ state }) => state === 'working');
    const { welcomes } = gateway;
    gateway.trouble.silent = true;
    await until(() => gateway.welcomes > welcomes, 'the silent connection is given up');
    gateway.trouble.silent = false;
    await until(() => gateway.countOf('agent.wait') > 0, 'it asks again');
    finish(gateway, run);
    expect(await engine.until('t', settled)).toMatchObject({ state: 'done', attempts: 1 });
    expect(gateway.runs.begun).toHaveLength(1);
  });

  it('if the Gateway restarts and loses the run: the next one starts only then (attempts/ended-for-certain)', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway);
    const first = await begun(gateway);
    await engine.until('t', ({ state }) => state === 'working');
    await gateway.down();
    await gateway.up();
    const second = await begun(gateway, 2);
    finish(gateway, second);
    await engine.until('t', settled);
    expect(attemptsOf(engine)).toMatchObject([
      {
        outcome: 'lost',
        error: expect.stringMatching(/does not know the run any more and has no active run/),
      },
      { outcome: 'completed' },
    ]);
    expect(second.session).toBe(first.session);
    expect(gateway.runs.begun).toHaveLength(2);
  });

  it('if the Gateway has only the events of the run', async () => {
    await using gateway = await GatewayServer.start();
    gateway.trouble.hidesTasks = true;
    await using engine = await given(gateway);
    const run = await begun(gateway);
    await engine.until('t', ({ state }) => state === 'working');
    gateway.cut();
    const events = setInterval(() => gateway.say(run, { delta: 'x' }), 10);
    await until(
      () => gateway.countOf('agent.wait') > 8,
      'it asks far more often than it would for a run that is gone',
    );
    clearInterval(events);
    finish(gateway, run);
    expect(await engine.until('t', settled)).toMatchObject({ state: 'done', attempts: 1 });
    expect(gateway.countOf('chat.abort')).toBe(0);
  });
});
