/** An agent over ACP under a real Signalbox, which is killed while it asks. */

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { QuestionJson } from '../../../src/contracts/api/questions.ts';
import { freePort } from '../../support/process/free-port.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const FAKE = fileURLToPath(new URL('../../fixtures/drivers/acp/fake-acp.mjs', import.meta.url));
const TASKS = '/api/projects/demo/tasks';
const ROUNDS = 10;

interface Task {
  readonly status: string;
  readonly attempts: readonly object[];
  readonly outputs: readonly { readonly content: string }[];
}

async function givenSignalbox(settings: object = {}): Promise<Sandbox> {
  const asker = {
    driver: 'acp',
    command: [process.execPath, FAKE],
    cwd: '.',
    kill_grace_seconds: 2,
    ...settings,
  };
  const defaults = { review: 'auto', max_attempts: 1, breaker: { failures: 1 } };
  const sandbox = await Sandbox.create({ config: { defaults, agents: { asker } }, port: await freePort() });
  await sandbox.up();
  return sandbox;
}

async function create(sandbox: Sandbox, id: string, plan: readonly object[]): Promise<void> {
  const description = `Work.\nPLAN: ${JSON.stringify(plan)}\nEnd.`;
  expect((await sandbox.post(TASKS, { id, title: id, description, agent: 'asker' })).status).toBe(201);
}

async function openQuestion(sandbox: Sandbox, command: string): Promise<QuestionJson> {
  let found: QuestionJson | undefined;
  await until(
    async () => {
      const { questions } = await sandbox.get<{ questions: QuestionJson[] }>('/api/questions');
      found = questions.find(({ about }) => JSON.stringify(about?.input) === JSON.stringify({ command }));
      return found !== undefined;
    },
    `${command} is asked for`,
    60_000,
  );
  if (!found) throw new Error('no question');
  return found;
}

async function answer(sandbox: Sandbox, { task, id }: QuestionJson, option: string): Promise<void> {
  expect((await sandbox.post(`${TASKS}/${task}/questions/${id}/answer`, { option })).status).toBe(200);
}

async function ended(sandbox: Sandbox, id: string): Promise<Task> {
  const read = () => sandbox.get<Task>(`${TASKS}/${id}?expand=all`);
  await until(async () => ['done', 'failed'].includes((await read()).status), `${id} has ended`, 60_000);
  return read();
}

async function restart(sandbox: Sandbox): Promise<void> {
  await sandbox.kill('SIGKILL');
  await sandbox.up();
}

describe('kill -9 of Signalbox during a conversation over ACP', () => {
  it(`with an open permission, ${ROUNDS} times at random moments: nothing is asked or run twice`, {
    timeout: 300_000,
  }, async () => {
    await using sandbox = await givenSignalbox();
    const commands = Array.from({ length: ROUNDS }, (_, index) => `command-${index}`);
    await create(
      sandbox,
      't',
      commands.map((command) => ({ ask: { command } })),
    );
    for (const command of commands) {
      await sleep(Math.random() * 300); // anywhere between two questions
      await restart(sandbox);
      const question = await openQuestion(sandbox, command);
      if (Math.random() < 0.5) await restart(sandbox);
      await answer(sandbox, question, 'allow_once');
      if (Math.random() < 0.5) await restart(sandbox);
    }
    const { status, attempts, outputs } = await ended(sandbox, 't');
    expect({ status, attempts: attempts.length, text: outputs[0]?.content }).toEqual({
      status: 'done',
      attempts: 1,
      text: 'once',
    });
    expect(await sandbox.lines('ran.txt')).toEqual(commands.map((command) => `once ${command}`));
    const got = (await sandbox.lines('got.jsonl')).map((line): { id: unknown } => JSON.parse(line));
    expect(got.map(({ id }) => id)).toEqual(['initialize', 'session', 'prompt', ...commands.keys()]);
    const { questions } = await sandbox.get<{ questions: object[] }>(`${TASKS}/t/questions`);
    expect(questions).toHaveLength(ROUNDS);
  });
});

describe('an agent over ACP', () => {
  it('is parked while it waits: its session is continued, and the answer given without asking again', {
    timeout: 180_000,
  }, async () => {
    await using sandbox = await givenSignalbox({ park_after_seconds: 0 });
    await create(sandbox, 't', [{ ask: { command: 'date' } }]);
    const question = await openQuestion(sandbox, 'date');
    await until(
      async () => (await sandbox.get<Task>(`${TASKS}/t`)).status === 'blocked',
      'its attempt is parked',
      60_000,
    );
    await answer(sandbox, question, 'allow_once');
    const { status, attempts, outputs } = await ended(sandbox, 't');
    expect({ status, attempts: attempts.length, text: outputs[0]?.content }).toEqual({
      status: 'done',
      attempts: 2,
      text: 'once',
    });
    const got = (await sandbox.lines('got.jsonl')).map((line): { method?: string } => JSON.parse(line));
    expect(got.flatMap(({ method }) => method ?? [])).toEqual([
      'initialize',
      'session/new',
      'session/prompt',
      'session/cancel',
      'initialize',
      'session/load',
      'session/prompt',
    ]);
  });

  it('is decided about by the rules of its configuration', { timeout: 120_000 }, async () => {
    await using sandbox = await givenSignalbox({
      permissions: { default: 'deny', rules: [{ tool: 'execute', input: 'git *', decision: 'allow' }] },
    });
    const commands = ['git status', 'git status; rm -r /'];
    await create(
      sandbox,
      't',
      commands.map((command) => ({ ask: { command } })),
    );
    expect(await ended(sandbox, 't')).toMatchObject({ status: 'done' });
    expect(await sandbox.lines('ran.txt')).toEqual(['once git status', 'no git status; rm -r /']);
  });
});
