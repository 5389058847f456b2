/** A Signalbox whose log was damaged while agents run: what users see of it, and that agents are still ended. */
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealthReport } from '../../../src/contracts/api/system-answers.ts';
import { EVENT_STREAM } from '../../../src/contracts/messages/subjects.ts';
import { findRunningServer } from '../../../src/daemon/embedded/running.ts';
import { runCli } from '../../support/process/cli.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const DELETED = 3;
/** Later than the report of the damage. */
const TIMEOUT_SECONDS = 10;
const TASKS = '/api/projects/demo/tasks';

const agent = { driver: 'command', command: ['sh', '-c', 'echo $$ > "$0.pid"; exec sleep 600'], cwd: '.' };
const CONFIG = {
  data_dir: 'data',
  defaults: { kill_grace_seconds: 0.2, max_attempts: 1 },
  agents: {
    timed: { ...agent, command: [...agent.command, 'timed'] },
    endless: { ...agent, command: [...agent.command, 'endless'] },
  },
};

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.create({ config: CONFIG });
  await sandbox.up();
  await sandbox.post(TASKS, { id: 'a', title: 'a', agent: 'timed', timeout_seconds: TIMEOUT_SECONDS });
  await sandbox.post(TASKS, { id: 'b', title: 'b', agent: 'endless' });
  await until(
    async () => (await Promise.all([pidOf('timed'), pidOf('endless')])).every((pid) => pid > 0),
    'both agents run',
  );
  await deleteBeginning(join(sandbox.directory, 'data'));
  await until(async () => (await health()).log.integrity.state === 'damaged', 'the damage is found');
  expect(isAlive(await pidOf('timed'))).toBe(true);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

async function pidOf(name: string): Promise<number> {
  const [line = '0'] = await sandbox.lines(`${name}.pid`);
  return Number(line);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function health(): Promise<HealthReport> {
  return sandbox.get('/health');
}

/** Leaves what a purge leaves; the stream refuses a purge. */
async function deleteBeginning(dataDirectory: string): Promise<void> {
  const server = await findRunningServer(dataDirectory);
  const connection = await connect({ servers: server?.url, user: server?.user, pass: server?.password });
  const manager = await jetstreamManager(connection);
  for (let sequence = 1; sequence <= DELETED; sequence++) {
    await manager.streams.deleteMessage(EVENT_STREAM, sequence);
  }
  await connection.close();
}

async function findingOfDoctor(): Promise<object | undefined> {
  const env = { SIGNALBOX_PORT: '0' };
  const { code, out } = await runCli(['doctor', '--json', '--url', sandbox.url], {
    cwd: sandbox.directory,
    env,
  });
  expect(code).toBe(1);
  const { findings } = JSON.parse(out) as { findings: { check: string; status: string }[] };
  return findings.find(({ check, status }) => check === 'event log' && status === 'fail');
}

describe('a damaged log', () => {
  it('is in /health and in the findings of doctor', async () => {
    const { ready, reason, log } = await health();
    expect({ ready, reason }).toEqual({ ready: false, reason: expect.stringContaining('damaged') });
    expect(log).toMatchObject({ state: 'fenced', integrity: { finding: { sequence: 1 } } });
    expect(await findingOfDoctor()).toMatchObject({
      detail: expect.stringContaining('events 1 to 3 are missing'),
      advice: expect.stringContaining('restore the log from a backup'),
    });
  });

  it('is an error for who follows the events from before the damage', async () => {
    const answer = await fetch(`${sandbox.url}/api/events?after=0`, { signal: AbortSignal.timeout(10_000) });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'log_corrupt' });
  });

  it('does not keep an attempt from being ended at its deadline', async () => {
    const pid = await pidOf('timed');
    await until(() => !isAlive(pid), 'the agent is ended', 2 * TIMEOUT_SECONDS * 1_000);
    expect(isAlive(await pidOf('endless'))).toBe(true);
  });

  it('does not hold up a shutdown that kills the agents, and is refused by the next start', async () => {
    const pid = await pidOf('endless');
    const began = Date.now();
    expect((await sandbox.kill('SIGTERM')).code).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(isAlive(pid)).toBe(false);
    expect((await sandbox.refused()).stderr).toContain('[log_corrupt]');
    expect(await findingOfDoctor()).toMatchObject({ detail: expect.stringMatching(/^found at 20/) });
  });
});
