import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp, taskIn } from '../../support/http/http.ts';

const SILENCE_MS = 300;

const start = (settings: object = {}) =>
  startHttp({ agents: [functionAgent('worker', new Gate().handler, { lingerMs: 60_000, ...settings })] });

const beat = (http: TestHttp, body: object = {}, attempt = 1) =>
  http.post(`${TASKS}/a/heartbeat`, body, { token: http.token('a', attempt) });

async function attemptOf(http: TestHttp, number = 1) {
  const { attempts = [] } = taskIn(await http.get(`${TASKS}/a?expand=attempts`));
  return attempts[number - 1];
}

describe('heartbeats over HTTP', () => {
  it('are accepted from the open attempt, and not recorded', async () => {
    await using http = await start();
    await http.working('a');
    const before = http.events;
    for (let count = 0; count < 20; count++) {
      expect(taskIn(await beat(http, { agent: 'worker' })).status).toBe('working');
    }
    expect(http.events).toBe(before);
  });

  it('are recorded as progress if they have a detail', async () => {
    await using http = await start();
    await http.working('a');
    const before = http.events;
    expect(taskIn(await beat(http, { detail: 'page 3 of 9' })).progress).toBe('page 3 of 9');
    expect(http.events).toBe(before + 1);
  });

  it('keep a silent agent from being stopped, and end a suspicion', async () => {
    await using http = await start({ silenceMs: SILENCE_MS });
    await http.working('a');
    await http.test.when(() => stateOf(http) === 'suspected' || undefined);
    taskIn(await beat(http));
    await http.test.when(() => stateOf(http) === 'running' || undefined);
    const { events = [] } = taskIn(await http.get(`${TASKS}/a?expand=events`));
    expect(events.at(-1)?.event).toMatchObject({ type: 'attempt.recovered', evidence: 'heartbeat' });

    // Far longer than the silence that it is allowed.
    for (let count = 0; count < 10; count++) {
      await sleep(SILENCE_MS / 3);
      taskIn(await beat(http));
    }
    expect(await attemptOf(http)).toMatchObject({ outcome: null, stop_reason: null });
    await http.test.until('a', ({ lastOutcome }) => lastOutcome !== null);
    expect(await attemptOf(http)).toMatchObject({ outcome: 'timed_out', stop_reason: 'silence' });
  });

  it('are accepted while the log is unreachable', async () => {
    await using http = await start();
    await http.working('a');
    http.log.reachable = false;
    expect(taskIn(await beat(http)).status).toBe('working');
    http.log.reachable = true;
  });

  it('are refused from an attempt that is over with 409, and recorded; without a token with 401', async () => {
    await using http = await start();
    await http.working('a');
    problemIn(await http.post(`${TASKS}/a/heartbeat`, {}), 401, 'unauthorized');
    await http.post(`${TASKS}/a/cancel`);
    const problem = problemIn(await beat(http), 409, 'stale_attempt');
    expect(problem.details).toMatchObject({ status: 'cancelled', attempt: 1 });
    const attempt = await attemptOf(http);
    expect(attempt?.rejected_messages).toMatchObject([{ message: 'heartbeat' }]);
  });

  it('are sent by the client with the token of the attempt', async () => {
    await using http = await start();
    await http.working('a');
    const client = new SignalboxClient({ url: http.url, token: http.token('a') });
    expect((await client.reportHeartbeat({ project: 'demo', task: 'a' })).status).toBe('working');
    expect((await client.reportHeartbeat({ project: 'demo', task: 'a', detail: 'half' })).progress).toBe(
      'half',
    );
    const stranger = new SignalboxClient({ url: http.url });
    await expect(stranger.reportHeartbeat({ project: 'demo', task: 'a' })).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });
});

function stateOf(http: TestHttp): string | undefined {
  return http.test.engine.projections.attempts.byTask.get('demo/a')?.[0]?.state;
}
