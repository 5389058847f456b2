/** Agents on other machines that ask, over NATS and with the rights of an agent. */
import { describe, expect, it } from 'vitest';
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { agentSubject, controlSubject } from '../../../src/contracts/messages/subjects.ts';
import { REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { until } from '../../support/until.ts';

interface Questions {
  readonly questions: readonly { readonly id: string }[];
}

const ref = { project: 'demo', task: 'a' } as const;

async function givenAsked(world: RemoteWorld): Promise<void> {
  await world.box.createTask({ project: 'demo', id: 'a', title: 'ask', agent: 'far', max_attempts: 1 });
  const open = () => world.command<Questions>('_system.listQuestions');
  await until(async () => (await open()).questions.length === 1, 'it asks');
}

const options = ['yes', 'no'];

describe.concurrent('an agent on another machine', { timeout: 60_000 }, () => {
  it('asks and waits, longer than its time limit and over a restart of Signalbox', async () => {
    await using world = await RemoteWorld.start({ agents: { far: { ...REMOTE, timeout_seconds: 1 } } });
    let asked = 0;
    await world.worker({
      agent: 'far',
      default: async ({ ask }) => {
        const onAsked = (): void => {
          asked += 1;
        };
        const { option } = await ask({ id: 'q', message: 'Go on?', options }, onAsked);
        return `went on with ${option}`;
      },
    });
    await givenAsked(world);
    const start = Date.now();
    await world.down();
    await world.up();
    // Its worker would end it after three seconds.
    await until(() => Date.now() - start > 5_000, 'its time limit is over');
    await world.command('demo.answerQuestion', { task: 'a', question: 'q', option: 'yes' });
    const done = await world.box.settledTask(ref, ['outputs']);
    expect(done.outputs?.map(({ content }) => content)).toEqual(['went on with yes']);
    expect(asked).toBe(1);
    expect((await world.box.listAttempts(ref)).attempts).toHaveLength(1);
    expect(await world.rejected('far')).toEqual([]);
  });

  it('is told why a question is refused', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    await world.worker({
      agent: 'far',
      default: ({ ask }) =>
        ask({ id: 'q', message: 'Open this', kind: 'link', url: 'javascript:alert(1)' }).then(
          () => 'asked',
          (error: unknown) => (error instanceof SignalboxError ? error.code : 'another error'),
        ),
    });
    await world.box.createTask({ project: 'demo', id: 'a', title: 'ask', agent: 'far' });
    const done = await world.box.settledTask(ref, ['outputs']);
    expect(done.outputs?.map(({ content }) => content)).toEqual(['invalid_request']);
  });

  it('asks without a library: the same message again brings the answer, and asks nothing twice', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    let token = '';
    await world.worker({
      agent: 'far',
      default: async ({ job, signal }) => {
        token = job.token;
        await until(() => signal.aborted, 'it is stopped', 50_000);
        return undefined;
      },
    });
    await world.box.createTask({ project: 'demo', id: 'a', title: 'ask', agent: 'far' });
    await until(() => token !== '', 'it runs');
    const connection = await world.connectAs('far');
    const answers = new Map<string, unknown>();
    connection.subscribe(controlSubject('far', 'answer'), {
      callback: (_error, message) => {
        const answer = message.json<{ id: string }>();
        answers.set(answer.id, answer);
      },
    });
    const send = async (id: string, ask: object): Promise<unknown> => {
      const message = { type: 'question', id, project: 'demo', taskId: 'a', attempt: 1, token, ask };
      connection.publish(agentSubject('far', 'question'), JSON.stringify(message));
      await until(() => answers.has(id), `message ${id} is answered`);
      return answers.get(id);
    };
    const question = { id: 'q', message: 'Go on?', options };
    expect(await send('m1', question)).toMatchObject({ ok: true, question: { id: 'q', answer: null } });
    await world.command('demo.answerQuestion', { task: 'a', question: 'q', option: 'no' });
    expect(await send('m2', question)).toMatchObject({
      ok: true,
      question: { id: 'q', answer: { action: 'accepted', option: 'no' } },
    });
    expect(await send('m3', { ...question, message: 'Other?' })).toMatchObject({
      ok: false,
      code: 'question_exists',
    });
  });
});
