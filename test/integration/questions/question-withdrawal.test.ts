/** Processes that ask and are gone before the answer, for real: what they withdraw, and what an open question then holds up. */
import { describe, expect, it } from 'vitest';
import type { QuestionJson } from '../../../src/contracts/api/questions.ts';
import type { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';
import {
  agent,
  answer,
  CLI,
  create,
  eventsOf,
  givenSignalbox,
  questions,
  TASKS,
  type Task,
  whenAsked,
  whenDone,
} from './questions-lab.ts';

/** Asks as a process of its own, whose pid is left in a file; its agent goes on when it has ended. */
const asking = (options = ''): string =>
  `out=$(sh -c 'echo $$ > pid.new; mv pid.new pid; exec ${CLI} ask "Go on?" --option yes --option no ${options}'); echo "went on with $?:$out"`;

async function pidIn(sandbox: Sandbox): Promise<number> {
  await until(async () => (await sandbox.lines('pid')).length > 0, 'it asks', 60_000);
  return Number((await sandbox.lines('pid'))[0]);
}

const read = (sandbox: Sandbox, { task, id }: QuestionJson): Promise<QuestionJson> =>
  sandbox.get<QuestionJson>(`${TASKS}/${task}/questions/${id}`);

describe.concurrent('"signalbox ask" that is ended while it waits', { timeout: 180_000 }, () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s withdraws its question, and ends by that signal',
    async (signal) => {
      await using sandbox = await givenSignalbox({ asker: agent(asking()) });
      await create(sandbox, 't', 'asker');
      const [question] = await whenAsked(sandbox);
      process.kill(await pidIn(sandbox), signal);
      const { outputs } = await whenDone(sandbox, 't');
      const status = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal];
      expect(outputs[0]?.content).toBe(`went on with ${status}:\n`);
      expect((await read(sandbox, question)).answer).toMatchObject({
        action: 'cancelled',
        by: 'agent:asker',
        comment: 'the agent no longer waits for an answer',
      });
      expect(await eventsOf(sandbox, 't', 'attempt.question_answered')).toHaveLength(1);
    },
  );

  it.runIf(process.platform === 'linux')(
    'because nothing reads its output withdraws its question',
    async () => {
      const reader = `sh -c 'echo $$ > reader; exec sleep 600'`;
      const command = `${CLI} ask "Go on?" --option yes | ${reader}; echo went on`;
      await using sandbox = await givenSignalbox({ asker: agent(command) });
      await create(sandbox, 't', 'asker');
      const [question] = await whenAsked(sandbox);
      process.kill(Number((await sandbox.lines('reader'))[0]), 'SIGKILL');
      expect((await whenDone(sandbox, 't')).outputs[0]?.content).toBe('went on\n');
      expect((await read(sandbox, question)).answer).toMatchObject({
        action: 'cancelled',
        by: 'agent:asker',
      });
    },
  );

  it('with an id of its own does not: the same command waits on, and gets the answer', async () => {
    const ask = asking('--id q');
    await using sandbox = await givenSignalbox({ asker: agent(`${ask}; ${ask}`) });
    await create(sandbox, 't', 'asker');
    const [question] = await whenAsked(sandbox);
    const first = await pidIn(sandbox);
    process.kill(first, 'SIGTERM');
    await until(async () => (await pidIn(sandbox)) !== first, 'it asks again', 60_000);
    expect(await questions(sandbox)).toMatchObject([{ id: 'q', answer: null }]);
    await answer(sandbox, question, { option: 'yes' });
    expect((await whenDone(sandbox, 't')).outputs[0]?.content).toBe(
      'went on with 143:\nwent on with 0:yes\n',
    );
    expect(await eventsOf(sandbox, 't', 'attempt.question_asked')).toHaveLength(1);
  });
});

describe.concurrent('the time limit of an attempt whose asking process was killed', {
  timeout: 180_000,
}, () => {
  it('counts again: the attempt is stopped, and its question cancelled', async () => {
    const settings = { timeout_seconds: 4, question_keepalive_seconds: 2 };
    await using sandbox = await givenSignalbox({ asker: agent(`${asking()}; exec sleep 600`, settings) });
    await create(sandbox, 't', 'asker');
    const [question] = await whenAsked(sandbox);
    process.kill(await pidIn(sandbox), 'SIGKILL');
    await until(
      async () => (await eventsOf(sandbox, 't', 'attempt.wait_ended')).length > 0,
      'it waits no longer',
      60_000,
    );
    expect((await read(sandbox, question)).answer).toBeNull();
    await until(async () => (await sandbox.get<Task>(`${TASKS}/t`)).status === 'failed', 'it fails', 60_000);
    expect(await eventsOf(sandbox, 't', 'attempt.ended')).toMatchObject([{ outcome: 'timed_out' }]);
    expect((await read(sandbox, question)).answer).toMatchObject({ action: 'cancelled', by: 'supervisor' });
    const [ended] = await eventsOf(sandbox, 't', 'attempt.wait_ended');
    const { attempts } = await sandbox.get<Task>(`${TASKS}/t?expand=all`);
    const started = Date.parse(attempts[0]?.started_at ?? '');
    const waited = Number(ended?.deadline_ms) - started - 4_000;
    // It was asked for until it was killed, and for two seconds more.
    expect(waited).toBeGreaterThanOrEqual(2_000);
    expect(Date.parse(attempts[0]?.deadline ?? '')).toBe(ended?.deadline_ms);
  });

  it('does not count while Signalbox is down for longer than that: the process waits on after the restart', async () => {
    const settings = { timeout_seconds: 5, question_keepalive_seconds: 9 };
    await using sandbox = await givenSignalbox({ asker: agent(asking(), settings) });
    await create(sandbox, 't', 'asker');
    const [question] = await whenAsked(sandbox);
    await sandbox.kill('SIGKILL');
    const killed = Date.now();
    await until(() => Date.now() - killed > 10_000, 'it is down for longer than a wait without a sign lasts');
    await sandbox.up();
    const up = Date.now();
    await until(() => Date.now() - up > 10_000, 'a wait without a sign would be over');
    expect(await eventsOf(sandbox, 't', 'attempt.wait_ended')).toEqual([]);
    await answer(sandbox, question, { option: 'no' });
    expect((await whenDone(sandbox, 't')).outputs[0]?.content).toBe('went on with 0:no\n');
  });
});
