import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { credentialsOf } from '../../support/nats/users.ts';
import { type CliProcess, startCli, temporaryDirectory } from '../../support/process/cli.ts';
import { isRunning } from '../../support/process/processes.ts';
import { until } from '../../support/until.ts';

function startWorker(world: RemoteWorld, command: readonly string[]): Promise<CliProcess> {
  return startWorkerWith(world, { agents: { far: { driver: 'command', command, concurrency: 2 } } });
}

async function startWorkerWith(world: RemoteWorld, agents: object): Promise<CliProcess> {
  const cwd = await temporaryDirectory();
  const config = { ...agents, shutdown: { drain_seconds: 0.1 } };
  await writeFile(join(cwd, 'signalbox.config.json'), JSON.stringify(config));
  const { user, pass } = credentialsOf('far');
  await writeFile(join(cwd, 'far.json'), JSON.stringify({ user, password: pass }));
  const args = ['worker', '--agent', 'far', '--nats-url', world.nats.url, '--credentials', 'far.json'];
  const worker = await startCli(args, { cwd });
  await worker.until(/is ready: agent far, up to 2 tasks at the same time/);
  return worker;
}

const FAKE_CLAUDE = fileURLToPath(new URL('../../fixtures/drivers/claude/fake-claude.mjs', import.meta.url));
const FAR = { ...REMOTE, offline_after_seconds: 10, concurrency: 2, kill_grace_seconds: 0.5 } as const;

/** As Codex, with as many characters as the id of its task says; a program that ends at once may be measured too late. */
const PRINTS_A_RESULT = `#!/bin/sh
cat >/dev/null
echo '{"type":"thread.started","thread_id":"th"}'
printf '{"type":"item.completed","item":{"type":"agent_message","text":"'
head -c "\${SIGNALBOX_TASK_ID#of-}" /dev/zero | tr '\\0' x
printf '"}}\\n{"type":"turn.completed","usage":{}}\\n'
sleep 0.5
`;

describe.concurrent('signalbox worker', () => {
  it('runs an agent with its driver, and sends its output while it runs', {
    timeout: 60_000,
  }, async () => {
    await using world = await RemoteWorld.start({ agents: { far: FAR } });
    const go = join(await temporaryDirectory(), 'go');
    const script = 'head -1 "$1"; echo working >&2; while [ ! -e "$2" ]; do sleep 0.05; done; seq 1 200000';
    await using worker = await startWorker(world, ['sh', '-c', script, 'sh', '{prompt_file}', go]);
    const { box } = world;
    await box.createTask({ project: 'demo', id: 'a', title: 'count', agent: 'far' });
    await until(
      async () => (await box.readTask({ project: 'demo', task: 'a' })).status === 'working',
      'it runs',
    );
    const log = (stream: string): Promise<string> => world.log('a', 1, stream);
    await until(async () => (await log('stderr')) === 'working\n', 'its output is seen while it runs');
    expect(await log('stdout')).toContain('count');
    await writeFile(go, '');
    const { status, outputs = [] } = await box.settledTask({ project: 'demo', task: 'a' }, ['outputs']);
    expect(status).toBe('done');
    expect(outputs[0]?.content_file?.size ?? outputs[0]?.content?.length).toBeGreaterThan(200_000);
    const [attempt] = (await box.listAttempts({ project: 'demo', task: 'a' })).attempts;
    expect(attempt).toMatchObject({ outcome: 'completed', exit_code: 0, stderr_tail: 'working\n' });
    expect(attempt?.host).toContain(`:${worker.pid}:`);
    const kept = join(world.dataDirectory, 'attempts/demo/a/1/process/stdout.log');
    expect((await readFile(kept, 'utf8')).endsWith('\n199999\n200000\n')).toBe(true);
  });

  it('kills an agent that does not end, and records the evidence', { timeout: 60_000 }, async () => {
    await using world = await RemoteWorld.start({ agents: { far: FAR } });
    const script = 'trap "" TERM; (trap "" TERM; sleep 1000) & echo "$$"; while :; do sleep 1; done';
    await using _worker = await startWorker(world, ['sh', '-c', script]);
    const { box } = world;
    await box.createTask({ project: 'demo', id: 'cancelled', title: 'hangs', agent: 'far', max_attempts: 1 });
    await box.createTask({
      project: 'demo',
      id: 'late',
      title: 'hangs',
      agent: 'far',
      timeout_seconds: 1,
      max_attempts: 1,
    });
    const pidOf = async (task: string): Promise<number> => Number(await world.log(task, 1, 'stdout'));
    await until(async () => (await pidOf('cancelled')) > 0 && (await pidOf('late')) > 0, 'both run');
    const pids = [await pidOf('cancelled'), await pidOf('late')];
    await box.cancelTask({ project: 'demo', task: 'cancelled' });
    for (const [id, outcome] of [
      ['cancelled', 'cancelled'],
      ['late', 'timed_out'],
    ] as const) {
      await until(
        async () => (await box.listAttempts({ project: 'demo', task: id })).attempts[0]?.outcome != null,
        `${id} ends`,
      );
      const [attempt] = (await box.listAttempts({ project: 'demo', task: id })).attempts;
      expect(attempt).toMatchObject({ outcome, evidence: { survivors: 0 } });
      expect(attempt?.evidence?.processCount).toBeGreaterThanOrEqual(2);
    }
    for (const pid of pids) expect(isRunning(pid)).toBe(false);
  });

  it('sends large results whole, and says which limit one exceeds', { timeout: 60_000 }, async () => {
    await using world = await RemoteWorld.start({ agents: { far: FAR } });
    const program = join(await temporaryDirectory(), 'prints-a-result');
    await writeFile(program, PRINTS_A_RESULT, { mode: 0o755 });
    await using _worker = await startWorkerWith(world, {
      drivers: { prints: { base: 'codex', program } },
      agents: { far: { driver: 'prints', concurrency: 2 } },
    });
    const { box } = world;
    for (const count of [300_000, 3_000_000, 20_000_000]) {
      const id = `of-${count}`;
      await box.createTask({ project: 'demo', id, title: id, agent: 'far', max_attempts: 1 });
    }
    for (const count of [300_000, 3_000_000]) {
      const task = await box.settledTask({ project: 'demo', task: `of-${count}` }, ['outputs']);
      expect(task.status).toBe('done');
      const file = task.outputs?.[0]?.content_file?.stored_at ?? '';
      expect((await readFile(file, 'utf8')) === 'x'.repeat(count)).toBe(true);
    }
    const first = { project: 'demo', task: 'of-300000' };
    const transcript = await box.readTranscript({ ...first, attempt: 1 });
    expect(transcript).toMatchObject({ format: 'codex', complete: true });
    expect(transcript.entries.map(({ kind, cut }) => [kind, cut])).toEqual([
      ['session', undefined],
      ['message', 200_000],
      ['usage', undefined],
      ['turn', undefined],
    ]);
    const { attempts } = await box.listAttempts(first);
    expect(attempts[0]?.transcript).toMatchObject({ format: 'codex', lines: 3, dropped_bytes: 0 });
    const late = await box.settledTask({ project: 'demo', task: 'of-20000000' });
    expect(late).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(
        /it printed 20\d{6} bytes, and max_output_bytes of its agent keeps 10485760: raise/,
      ),
    });
  });

  it('returns unfinished tasks when it is stopped, and reports errors in its configuration', {
    timeout: 60_000,
  }, async () => {
    await using world = await RemoteWorld.start({ agents: { far: FAR } });
    await using worker = await startWorker(world, ['sh', '-c', 'sleep 1000']);
    const { box } = world;
    await box.createTask({ project: 'demo', id: 'a', title: 'long', agent: 'far' });
    await until(
      async () => (await box.readTask({ project: 'demo', task: 'a' })).status === 'working',
      'it runs',
    );
    process.kill(worker.pid, 'SIGTERM');
    expect((await worker.ended).code).toBe(0);
    await until(
      async () => (await box.listAttempts({ project: 'demo', task: 'a' })).attempts[0]?.outcome === 'lost',
      'it is given back',
    );
    expect(await world.why('a')).toMatchObject({ waits_for: [{ kind: 'agent_offline' }] });

    const absent = await startCli(['worker', '--agent', 'absent', '--nats-url', world.nats.url], {
      cwd: await temporaryDirectory(),
    });
    const { code, err } = await absent.ended;
    expect(code).not.toBe(0);
    expect(err).toContain('agents.absent: the configuration of this machine must say');
  });
});

describe('a program that asks, run by signalbox worker', () => {
  it('withdraws a question that its program withdraws, and passes on what users tell it', {
    timeout: 60_000,
  }, async () => {
    await using world = await RemoteWorld.start({ agents: { far: FAR } });
    await using _worker = await startWorkerWith(world, {
      drivers: { claude: { program: FAKE_CLAUDE } },
      agents: { far: { driver: 'claude', concurrency: 2 } },
    });
    const { box } = world;
    const plan = [{ withdraw: { tool: 'Bash', input: { command: 'date' } } }, { steered: true }];
    const description = `PLAN: ${JSON.stringify(plan)}`;
    const ref = { project: 'demo', task: 'a' } as const;
    await box.createTask({
      project: 'demo',
      id: 'a',
      title: 'asks',
      description,
      agent: 'far',
      max_attempts: 1,
    });
    const asked = () =>
      world.command<{ questions: { answer: object | null }[] }>('demo.listTaskQuestions', { task: 'a' });
    // Its attempt goes on: it waits for what a user tells it.
    await until(async () => (await asked()).questions[0]?.answer != null, 'it is withdrawn', 30_000);
    expect((await asked()).questions).toMatchObject([{ answer: { action: 'cancelled', by: 'agent:far' } }]);
    expect((await box.listAttempts(ref)).attempts).toMatchObject([{ status: 'running' }]);
    await world.command('demo.steerTask', { task: 'a', text: 'Be brief.', by: 'ann' });
    const { outputs } = await box.settledTask(ref, ['outputs']);
    expect(outputs?.[0]?.content).toContain('Be brief.');
    const { messages } = await world.command<{ messages: object[] }>('demo.listSteering', { task: 'a' });
    expect(messages).toMatchObject([{ text: 'Be brief.', delivered: { attempt: 1, by: 'driver' } }]);
    expect(await world.rejected('far')).toEqual([]);
  });
});
