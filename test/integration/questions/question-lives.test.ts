/** Questions over the death of Signalbox, the takeover by a standby, and the end of the process that asked. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { QuestionJson } from '../../../src/contracts/api/questions.ts';
import { natsServer } from '../../support/nats/nats.ts';
import { freePort } from '../../support/process/free-port.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';
import {
  ASKS,
  agent,
  answer,
  create,
  eventsOf,
  givenSignalbox,
  questions,
  TASKS,
  type Task,
  whenAsked,
  whenDone,
} from './questions-lab.ts';

const FAKE_CLAUDE = fileURLToPath(new URL('../../fixtures/drivers/claude/fake-claude.mjs', import.meta.url));

describe('the takeover by a standby while ten agents wait', () => {
  it('finds all ten waiting, passes on the answers, starts none again, and moves deadlines by the wait', {
    timeout: 240_000,
  }, async () => {
    await using nats = await natsServer();
    const { user, pass } = nats.connectOptions;
    const env = { NATS_URL: nats.url.replace('nats://', `nats://${user}:${pass}@`) };
    // Agents reach the one that works at the same address.
    const port = await freePort();
    await using leader = await Sandbox.create({ config: {}, env, port });
    const asker = agent(ASKS, { cwd: leader.directory, concurrency: 10, timeout_seconds: 60 });
    const config = { defaults: { review: 'auto' }, data_dir: `${leader.directory}/data`, agents: { asker } };
    await leader.configure(config);
    await using standby = await Sandbox.create({ config, env, port });
    await leader.up();
    await standby.standBy();
    const ids = Array.from({ length: 10 }, (_, index) => `t${index}`);
    for (const id of ids) await create(leader, id, 'asker');
    const asked = await whenAsked(leader, 10);
    await leader.kill('SIGKILL');
    await standby.ready();
    expect((await questions(standby)).map(({ id }) => id).sort()).toEqual(asked.map(({ id }) => id).sort());
    for (const question of asked)
      expect((await answer(standby, question, { option: 'yes' })).status).toBe(200);
    for (const { task, id } of asked) {
      const { outputs, attempts } = await whenDone(standby, task);
      expect(outputs[0]?.content.trim()).toBe('yes');
      expect(attempts).toHaveLength(1);
      expect(await eventsOf(standby, task, 'attempt.question_answered')).toHaveLength(1);
      const given = await standby.get<QuestionJson>(`${TASKS}/${task}/questions/${id}`);
      const waited = Date.parse(given.answer?.time ?? '') - Date.parse(given.asked_at);
      const { deadline = '', started_at = '' } = attempts[0] ?? {};
      expect(Math.abs(Date.parse(deadline) - Date.parse(started_at) - 60_000 - waited)).toBeLessThan(500);
    }
    expect((await leader.lines('starts')).sort()).toEqual(ids.map((id) => `${id}/1`));
  });
});

describe('a question that expires while Signalbox is down', () => {
  it('gets its default at the next start, and the parked task goes on', { timeout: 180_000 }, async () => {
    const command = `if [ $SIGNALBOX_ATTEMPT = 1 ]; then ${ASKS} --expires 10s --default no; else echo went on; fi`;
    await using sandbox = await givenSignalbox({ asker: agent(command, { park_after_seconds: 0 }) });
    await create(sandbox, 't', 'asker');
    const [question] = await whenAsked(sandbox);
    await until(
      async () => (await sandbox.get<Task>(`${TASKS}/t`)).status === 'blocked',
      'it is parked',
      60_000,
    );
    await sandbox.kill('SIGKILL');
    await pause(Math.max(0, Date.parse(question.expires_at ?? '') - Date.now()));
    await sandbox.up();
    expect((await whenDone(sandbox, 't')).outputs).toMatchObject([{ content: 'went on\n' }]);
    expect(await sandbox.get(`${TASKS}/t/questions/${question.id}`)).toMatchObject({
      answer: { action: 'expired', option: 'no', by: 'supervisor' },
    });
  });
});

describe('a parked task of Claude Code', () => {
  it('goes on in its session, and gets the answer when it asks again', { timeout: 180_000 }, async () => {
    const plan = [{ ask: { tool: 'Bash', input: { command: 'date' } } }];
    const coder = { driver: 'claude', cwd: '.', park_after_seconds: 0, kill_grace_seconds: 0.5 };
    await using sandbox = await givenSignalbox({ coder }, { drivers: { claude: { program: FAKE_CLAUDE } } });
    await create(sandbox, 't', 'coder', { description: `PLAN: ${JSON.stringify(plan)}` });
    const [question] = await whenAsked(sandbox);
    await until(
      async () => (await sandbox.get<Task>(`${TASKS}/t`)).status === 'blocked',
      'it is parked',
      60_000,
    );
    await answer(sandbox, question, { option: 'allow_once' });
    const { outputs, attempts, attempts_used } = await whenDone(sandbox, 't');
    expect(outputs[0]?.content).toBe('ran Bash');
    expect(attempts_used).toBe(1);
    const [first, second] = attempts.map(({ session }) => session);
    expect(second).toBe(first);
    const args: string[] = JSON.parse(await readFile(join(sandbox.directory, 'arguments.json'), 'utf8'));
    expect(args.join(' ')).toContain(`--resume ${first}`);
    expect(await eventsOf(sandbox, 't', 'attempt.question_answered')).toHaveLength(2);
  });
});

describe('a task that its agent blocked', () => {
  it('has its only attempt left when it is unblocked', { timeout: 180_000 }, async () => {
    const report = `curl -sS -X POST "$SIGNALBOX_URL/api/projects/demo/tasks/t/status" -H "Authorization: Bearer $SIGNALBOX_TOKEN" -H "Content-Type: application/json" -d '{"status":"blocked","detail":"which database?"}'`;
    const command = `if [ $SIGNALBOX_ATTEMPT = 1 ]; then ${report}; else grep -o "use staging" "$SIGNALBOX_PROMPT_FILE"; fi`;
    await using sandbox = await givenSignalbox({ worker: agent(command) });
    await create(sandbox, 't', 'worker');
    const read = () => sandbox.get<Task>(`${TASKS}/t?expand=all`);
    await until(async () => (await read()).status === 'blocked', 'it is blocked', 60_000);
    await sandbox.post(`${TASKS}/t/unblock`, { comment: 'use staging' });
    expect(await whenDone(sandbox, 't')).toMatchObject({
      attempts_used: 1,
      outputs: [{ content: 'use staging\n' }],
      attempts: [{}, {}],
    });
  });
});
