import { describe, expect, it } from 'vitest';
import { listAgents, readAgent } from '../../../src/app/agents/agents.ts';
import { SignalboxClient } from '../../../src/client/client.ts';
import { type AgentAnswer, agentAnswerSchema, agentListSchema } from '../../../src/contracts/api/answers.ts';
import { functionAgent, startEngine } from '../../support/engine.ts';
import { Gate, type HttpAnswer, problemIn, startHttp, TASKS } from '../../support/http/http.ts';
import { MemoryLog } from '../../support/memory-journal.ts';

const AGENT = '/api/agents/worker';

const start = (gate: Gate) =>
  startHttp({ agents: [functionAgent('worker', gate.handler, { concurrency: 2 })] });

function agentIn(answer: HttpAnswer): AgentAnswer {
  expect(answer).toMatchObject({ status: 200 });
  return agentAnswerSchema.parse(answer.body);
}

describe('agents over HTTP', () => {
  it('shows one with its slots and open attempts', async () => {
    await using http = await start(new Gate());
    expect(agentIn(await http.get(AGENT))).toMatchObject({ state: 'idle', running: 0, open_attempts: [] });
    await http.working('a');
    expect(agentIn(await http.get(AGENT))).toMatchObject({
      id: 'worker',
      state: 'busy',
      running: 1,
      concurrency: 2,
      failures: 0,
      parked_until: null,
      reason: null,
      driver: 'function',
      open_attempts: [{ project: 'demo', task: 'a', attempt: 1, status: 'running' }],
    });
  });

  it('paused, it gets no new tasks and continues its open attempts, until it is resumed', async () => {
    const gate = new Gate();
    await using http = await start(gate);
    await http.working('a');
    const paused = await http.post(`${AGENT}/pause`, { by: 'ann', comment: 'new prompts' });
    expect(agentIn(paused)).toMatchObject({ state: 'paused', running: 1, reason: 'new prompts', by: 'ann' });
    await http.post(TASKS, { id: 'b', title: 'x', agent: 'worker', outputs: 'optional' });
    gate.open();
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    expect(agentIn(await http.get(AGENT))).toMatchObject({ state: 'paused', running: 0 });
    expect((await http.get(`${TASKS}/b`)).body).toMatchObject({ status: 'pending', attempt: 0 });

    const resumed = agentIn(await http.post(`${AGENT}/resume`));
    expect(resumed).toMatchObject({ state: 'idle', reason: null, by: null });
    await http.test.until('b', ({ state }) => state === 'done');
  });

  it('draining, it is shown as drained when its last attempt has ended', async () => {
    const gate = new Gate();
    await using http = await start(gate);
    await http.working('a');
    const draining = await http.post(`${AGENT}/drain`, { comment: 'moves to another machine' });
    expect(agentIn(draining)).toMatchObject({ state: 'draining', running: 1 });
    gate.open();
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    expect(agentIn(await http.get(AGENT))).toMatchObject({ state: 'drained', running: 0 });
    const { agents } = agentListSchema.parse((await http.get('/api/agents')).body);
    expect(agents).toMatchObject([{ state: 'drained', reason: 'moves to another machine' }]);
  });

  it('shows until when and why one is parked; resuming it ends that', async () => {
    const failing = functionAgent(
      'worker',
      () => {
        throw new Error('broke');
      },
      { breaker: { failures: 2, cooldownMs: 60_000, maxCooldownMs: 60_000 } },
    );
    await using http = await startHttp({ agents: [failing] });
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'worker', max_attempts: 2 });
    const { byId } = http.test.engine.projections.agents;
    await http.test.when(() => byId.get('worker')?.state === 'parked' || undefined);
    const { parked_until, ...parked } = agentIn(await http.get(AGENT));
    expect(parked).toMatchObject({ state: 'parked', failures: 2, reason: '2 attempts in a row failed' });
    expect(Date.parse(parked_until ?? '')).toBeGreaterThan(Date.now() + 50_000);
    const resumed = agentIn(await http.post(`${AGENT}/resume`));
    expect(resumed).toMatchObject({ state: 'idle', failures: 0, parked_until: null, reason: null });
  });

  it('answers 409 for a decision that its state does not allow, 404 for unknown agents, 403 for attempts', async () => {
    await using http = await start(new Gate());
    await http.working('a');
    const before = http.events;
    const refused = problemIn(await http.post(`${AGENT}/resume`), 409, 'illegal_transition');
    expect(refused.details).toMatchObject({ entity: 'agent', id: 'worker', state: 'busy' });
    problemIn(await http.get('/api/agents/absent'), 404, 'agent_not_found');
    problemIn(await http.post('/api/agents/absent/pause'), 404, 'agent_not_found');
    problemIn(await http.get('/api/agents/no.body'), 400, 'invalid_id');
    problemIn(await http.post(`${AGENT}/pause`, { reason: 'x' }), 400, 'invalid_request');
    problemIn(await http.post(`${AGENT}/pause`, {}, { token: http.token('a') }), 403, 'forbidden');
    expect(http.events).toBe(before);
  });

  it.each(['pause', 'drain'] as const)('%s lasts over a restart', async (decision) => {
    const log = new MemoryLog();
    const agents = [functionAgent('worker', () => 'done')];
    {
      await using first = await startEngine({ agents }, log);
      await first.when(() => (first.engine.backlog === 0 ? true : undefined));
      await first.app.log.commit(
        { type: decision === 'pause' ? 'agent.paused' : 'agent.drained', agent: 'worker', reason: 'stay' },
        { actor: 'user:ann' },
      );
    }
    // With other settings: they are registered, and change nothing about it.
    await using second = await startEngine(
      { agents: [functionAgent('worker', () => 'x', { concurrency: 3 })] },
      log,
    );
    await second.create({ id: 'a', agent: 'worker' });
    const view = await second.when(() => {
      const agent = second.engine.projections.agents.byId.get('worker');
      return agent?.concurrency === 3 ? agent : undefined;
    });
    expect(view).toMatchObject({ reason: 'stay', by: 'ann', running: 0 });
    expect(view.state).toBe(decision === 'pause' ? 'paused' : 'draining');
    expect(second.engine.host.get('task', 'demo/a')?.state).toBe('pending');
  });

  it('shows the current configuration, even if an older one is registered', async () => {
    const log = new MemoryLog();
    const settings = (capabilities: string[]) => ({
      agents: [functionAgent('worker', () => 'x', { capabilities })],
    });
    {
      await using first = await startEngine(settings(['old']), log);
      await first.when(() => (first.engine.backlog === 0 ? true : undefined));
    }
    await using second = await startEngine(settings(['new']), log);
    expect(listAgents(second.app)).toMatchObject([{ state: 'idle', capabilities: ['new'] }]);
    expect(readAgent(second.app, 'worker')).toMatchObject({ capabilities: ['new'] });
  });

  it('works with the client', async () => {
    await using http = await start(new Gate());
    const client = new SignalboxClient({ url: http.url });
    expect((await client.pauseAgent({ agent: 'worker', by: 'ann' })).state).toBe('paused');
    expect(await client.readAgent({ agent: 'worker' })).toMatchObject({ state: 'paused', by: 'ann' });
    await expect(client.readAgent({ agent: 'absent' })).rejects.toMatchObject({ code: 'agent_not_found' });
  });
});
