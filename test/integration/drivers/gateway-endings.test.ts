/** How runs inside an OpenClaw Gateway end: by a restart, by a request to stop, and as subagents. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GatewaySettings } from '../../../src/drivers/gateway/gateway-driver.ts';
import { startEngine } from '../../support/engine.ts';
import type { TestRun } from '../../support/gateway/gateway-runs.ts';
import { GatewayServer } from '../../support/gateway/gateway-server.ts';
import { MemoryLog } from '../../support/memory-journal.ts';
import { until } from '../../support/until.ts';
import { agentOf, attemptsOf, begun, finish, given, settled, TEXT } from './gateway-lab.ts';

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

  it.each(['subagent', 'agent', 'sessions_spawn'] as const)('finds a %s that is running', async (mode) => {
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

describe.concurrent('a run that is stopped', () => {
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

  it('ends even if the Gateway never comes back', async () => {
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

  it('reports what to configure if it is not allowed', async () => {
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
