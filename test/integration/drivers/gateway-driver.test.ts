/** Runs inside an OpenClaw Gateway, against a server that speaks its protocol. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CreateTask } from '../../../src/contracts/api/requests.ts';
import { GatewayDriver, type GatewaySettings } from '../../../src/drivers/gateway/gateway-driver.ts';
import type { AgentDefinition } from '../../../src/engine/supervisor/agent-roster.ts';
import { MemoryLog } from '../../../src/journal/memory-journal.ts';
import { type EngineSettings, functionAgent, startEngine, type TestEngine } from '../../support/engine.ts';
import type { TestRun } from '../../support/gateway/gateway-runs.ts';
import { GatewayServer } from '../../support/gateway/gateway-server.ts';
import { until } from '../../support/until.ts';

const TEXT = 'all is well';

function agentOf(
  gateway: GatewayServer,
  settings: Partial<GatewaySettings> = {},
  definition: Partial<AgentDefinition> = {},
): AgentDefinition {
  const driver = new GatewayDriver({
    url: gateway.url,
    token: gateway.token,
    mode: 'subagent',
    agent_id: 'main',
    session: 'resume',
    installation: 'test',
    unknownMs: 50,
    ...settings,
  });
  return functionAgent('worker', () => undefined, { driver, killGraceMs: 300, ...definition });
}

async function given(
  gateway: GatewayServer,
  agent: AgentDefinition = agentOf(gateway),
  task: Partial<CreateTask> = {},
  engine: Partial<EngineSettings> = {},
  log?: MemoryLog,
): Promise<TestEngine> {
  const test = await startEngine({ agents: [agent], ...engine }, log);
  await test.create({ id: 't', agent: 'worker', ...task });
  return test;
}

async function begun(gateway: GatewayServer, count = 1): Promise<TestRun> {
  await until(() => gateway.runs.begun.length >= count, `run ${count} begins`);
  const run = gateway.runs.begun[count - 1];
  if (!run) throw new Error('no run');
  return run;
}

const finish = (gateway: GatewayServer, run: TestRun, text = TEXT): void =>
  gateway.runs.finish(run, { status: 'ok', text, stopReason: 'stop' });

const attemptsOf = ({ app }: TestEngine) => app.state.projections.attempts.byTask.get('demo/t') ?? [];
const settled = ({ state, openAttempt }: { state: string; openAttempt: number | null }): boolean =>
  ['done', 'failed'].includes(state) && openAttempt === null;

describe.concurrent('a run inside a Gateway', () => {
  it('is sent with all that it needs, and its answer, usage and session are the attempt’s', async () => {
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
    await until(() => gateway.connections === 0, 'the connection is closed when nobody needs it');
  });

  it('of the full agent has a session of its own kind', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway, agentOf(gateway, { mode: 'agent', agent_id: 'ops' }));
    const run = await begun(gateway);
    expect(run.params.sessionKey).toMatch(/^agent:ops:signalbox-[\da-f]{20}$/);
    expect(run.params).not.toHaveProperty('lane');
    finish(gateway, run);
    await engine.until('t', settled);
  });

  it('that fails or times out there is a failure, and the retry goes on with its session', async () => {
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

  it('that the Gateway refuses has never started', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway, agentOf(gateway, { agent_id: 'nobody' }), { max_attempts: 1 });
    await engine.until('t', settled);
    expect(attemptsOf(engine)).toMatchObject([
      {
        outcome: 'spawn_failed',
        error: expect.stringMatching(/did not start the run: Unknown agent id "nobody"$/),
      },
    ]);
  });

  it('is not tried again and again with a wrong token', async () => {
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

describe.concurrent('no run is lost and none is doubled', () => {
  it('when every answer comes twice, and out of order', async () => {
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
    ['and it ends while nobody listens', true],
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

  it('when the Gateway falls silent: the connection is made again', async () => {
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

  it('when the Gateway restarts, and the run with it: that one is lost, and only then the next one begins', async () => {
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

  it('while the Gateway knows nothing of it but its events', async () => {
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

describe.concurrent('a restart of Signalbox', () => {
  /** Two engines on one log and one data directory, with what happens between them. */
  async function restarted(
    gateway: GatewayServer,
    between: (run: TestRun) => Promise<void> | void,
    settings: Partial<GatewaySettings> = {},
  ): Promise<{ task: unknown; attempts: ReturnType<typeof attemptsOf> }> {
    const log = new MemoryLog();
    const dataDirectory = await mkdtemp(join(tmpdir(), 'signalbox-gateway-'));
    try {
      const first = await given(gateway, agentOf(gateway, settings), {}, { dataDirectory }, log);
      const run = await begun(gateway);
      await first.until('t', ({ state }) => state === 'working');
      await first.engine.stop('restart');
      await until(() => gateway.connections === 0, 'the first one lets go');
      await between(run);
      await using second = await startEngine({ agents: [agentOf(gateway, settings)], dataDirectory }, log);
      if (run.end === null) {
        await until(() => gateway.countOf('agent.wait') > 0, 'the second one asks');
        finish(gateway, run);
      }
      return { task: await second.until('t', settled), attempts: attemptsOf(second) };
    } finally {
      await rm(dataDirectory, { recursive: true, force: true });
    }
  }

  it.each(['subagent', 'agent', 'sessions_spawn'] as const)('finds a %s that is under way', async (mode) => {
    await using gateway = await GatewayServer.start();
    gateway.trouble.allowsSpawn = true;
    const { task, attempts } = await restarted(gateway, () => {}, { mode });
    expect(task).toMatchObject({ state: 'done', attempts: 1, outputs: [{ content: TEXT }] });
    expect(attempts).toHaveLength(1);
    expect(gateway.runs.begun).toHaveLength(1);
  });

  it('finds one that has ended meanwhile', async () => {
    await using gateway = await GatewayServer.start();
    const { task } = await restarted(gateway, (run) => finish(gateway, run));
    expect(task).toMatchObject({ state: 'done', attempts: 1, outputs: [{ content: TEXT }] });
    expect(gateway.runs.begun).toHaveLength(1);
  });
});

describe.concurrent('a run that is to end', () => {
  it('is aborted when its time is over', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway, undefined, { timeout_seconds: 0.3, max_attempts: 1 });
    const run = await begun(gateway);
    await engine.until('t', settled);
    expect(run.end).toMatchObject({ stopReason: 'rpc' });
    expect(attemptsOf(engine)).toMatchObject([{ outcome: 'timed_out' }]);
  });

  it('is aborted when its task is cancelled, as soon as there is a connection', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway);
    const run = await begun(gateway);
    await engine.until('t', ({ state }) => state === 'working');
    gateway.trouble.startingUp = true;
    gateway.cut();
    engine.app.supervision.supervisor.decide({ type: 'task.cancelled', project: 'demo', task: 't' });
    await engine.when(() => (attemptsOf(engine)[0]?.state === 'stopping' ? true : undefined));
    gateway.trouble.startingUp = false;
    await engine.until('t', ({ openAttempt }) => openAttempt === null);
    expect(run.end).toMatchObject({ stopReason: 'rpc' });
    expect(attemptsOf(engine)).toMatchObject([{ outcome: 'cancelled' }]);
  });

  it('ends also where the Gateway never comes back', async () => {
    const gateway = await GatewayServer.start();
    await using engine = await given(gateway, agentOf(gateway, {}, { killGraceMs: 1 }), { max_attempts: 1 });
    await begun(gateway);
    await engine.until('t', ({ state }) => state === 'working');
    await gateway.down();
    engine.app.supervision.supervisor.decide({ type: 'task.cancelled', project: 'demo', task: 't' });
    await engine.until('t', ({ openAttempt }) => openAttempt === null);
    expect(attemptsOf(engine)).toMatchObject([
      { outcome: 'cancelled', evidence: { gateway: { aborted: false } } },
    ]);
  });
});

describe.concurrent('sessions_spawn', () => {
  it('starts a subagent by the tool, without a message at its end', async () => {
    await using gateway = await GatewayServer.start();
    gateway.trouble.allowsSpawn = true;
    await using engine = await given(gateway, agentOf(gateway, { mode: 'sessions_spawn', agent_id: 'ops' }));
    const run = await begun(gateway);
    expect(gateway.requests.find(({ method }) => method === 'tools.invoke')?.params).toMatchObject({
      name: 'sessions_spawn',
      sessionKey: 'agent:ops:signalbox-supervisor',
      args: {
        agentId: 'ops',
        mode: 'run',
        cleanup: 'keep',
        context: 'isolated',
        expectsCompletionMessage: false,
      },
    });
    finish(gateway, run);
    expect(await engine.until('t', settled)).toMatchObject({ state: 'done', outputs: [{ content: TEXT }] });
  });

  it('that is not allowed says what to configure', async () => {
    await using gateway = await GatewayServer.start();
    await using engine = await given(gateway, agentOf(gateway, { mode: 'sessions_spawn' }), {
      max_attempts: 1,
    });
    await engine.until('t', settled);
    expect(attemptsOf(engine)).toMatchObject([
      { outcome: 'spawn_failed', error: expect.stringContaining('add it to gateway.tools.allow') },
    ]);
  });
});
