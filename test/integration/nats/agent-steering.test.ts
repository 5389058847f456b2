/** What users tell agents that work over NATS: with the answers that they get, or passed on by their worker; once, and recorded. */
import { headers } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import type { SteeringAnswer } from '../../../src/contracts/api/steering.ts';
import type { RunMessage } from '../../../src/drivers/driver.ts';
import { RawAgent } from '../../support/nats/raw-agent.ts';
import { OPERATOR, REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { until } from '../../support/until.ts';

/** For raw agents, which send no heartbeats. */
const PATIENT = { ...REMOTE, offline_after_seconds: 600 };
const REF = { project: 'demo', task: 'a' } as const;

const steer = (world: RemoteWorld, text: string) =>
  world.command<SteeringAnswer>('demo.steerTask', { task: 'a', text, by: 'ann' });
const sent = async (world: RemoteWorld): Promise<readonly SteeringAnswer[]> =>
  (await world.command<{ messages: SteeringAnswer[] }>('demo.listSteering', { task: 'a' })).messages;

async function deliveries(world: RemoteWorld): Promise<readonly object[]> {
  const { events = [] } = await world.box.readTask({ ...REF, expand: ['events'] });
  return events.map(({ event }) => event).filter(({ type }) => type === 'task.steering_delivered');
}

async function givenWork(world: RemoteWorld) {
  const agent = new RawAgent(await world.connect(), 'far');
  await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far', max_attempts: 3 });
  return { agent, word: await agent.begin() };
}

describe.concurrent('a message to an agent that works over NATS', { timeout: 60_000 }, () => {
  const attemptOf = ({ project, taskId, attempt }: { project: string; taskId: string; attempt: number }) => ({
    project,
    taskId,
    attempt,
  });

  it.each([
    ['a status', 'status', { status: 'working', detail: 'half way' }],
    ['an output', 'output', { title: 'Figures', content: '1' }],
    ['a comment', 'comment', { body: 'Half way.' }],
    ['a question', 'question', { ask: { id: 'q', message: 'Go on?' } }],
  ])('comes with the answer to %s, once, and the log says so', async (_what, kind, body) => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT } });
    const { agent, word } = await givenWork(world);
    const { id } = await steer(world, 'Be brief.');
    const expected = { ...attemptOf(word), id, text: 'Be brief.', by: 'ann' };
    expect((await agent.say(kind, { ...word, ...body }, 'm1')).steering).toMatchObject([expected]);
    // The same message again, as after an answer that was lost: so is its answer.
    expect((await agent.say(kind, { ...word, ...body, id: 'm1' }, 'copy')).steering).toMatchObject([
      expected,
    ]);
    expect((await agent.say(kind, { ...word, ...body }, 'm2')).steering).toBeUndefined();
    expect(await deliveries(world)).toMatchObject([{ by: 'answer', attempt: 1, messages: [id] }]);
  });

  it('comes with the answer to a heartbeat that names its attempt, and to no other one', async () => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT, other: PATIENT } });
    const { agent, word } = await givenWork(world);
    const { id } = await steer(world, 'Be brief.');
    const beat = (from: RawAgent, name: string, tasks: object[]) =>
      from.say('heartbeat', { agent: name, status: 'busy', tasks, timestamp: new Date().toISOString() });
    const other = new RawAgent(await world.connect(), 'other');
    expect((await beat(other, 'other', [attemptOf(word)])).steering).toBeUndefined();
    expect((await beat(agent, 'far', [])).steering).toBeUndefined();
    expect((await beat(agent, 'far', [attemptOf(word)])).steering).toMatchObject([{ id, taskId: 'a' }]);
    expect((await beat(agent, 'far', [attemptOf(word)])).steering).toBeUndefined();
    expect(await deliveries(world)).toMatchObject([{ by: 'answer', messages: [id] }]);
  });

  it('waits for the next prompt if its sender passes none on, or its attempt is over', async () => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT } });
    const { agent, word } = await givenWork(world);
    await steer(world, 'Be brief.');
    expect(
      (await agent.say('status', { ...word, status: 'working', steering: 'none' })).steering,
    ).toBeUndefined();
    const failed = { status: 'failed', metadata: { completedAt: new Date().toISOString(), duration: 1 } };
    expect((await agent.say('result', { ...word, ...failed })).steering).toBeUndefined();
    const next = await agent.job();
    expect(next.prompt).toContain('Be brief.');
    const { project, taskId, attempt, token } = next;
    await agent.say('status', { project, taskId, attempt, token, status: 'working' });
    await until(async () => (await deliveries(world)).length > 0, 'it is delivered');
    expect(await deliveries(world)).toMatchObject([{ by: 'prompt', attempt: 2 }]);
  });

  it('comes with every answer until a worker confirms it, and with no answer over HTTP meanwhile', async () => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT } });
    const { agent, word } = await givenWork(world);
    const { id } = await steer(world, 'Be brief.');
    const work = { ...word, status: 'working', steering: 'confirm' };
    for (let time = 0; time < 2; time++)
      expect((await agent.say('status', work)).steering).toMatchObject([{ id }]);
    const authorized = headers();
    authorized.set('Authorization', `Bearer ${word.token}`);
    const caller = await world.connectAs(OPERATOR);
    const take = async (): Promise<unknown> =>
      (
        await caller.request('signalbox.v1.cmd.demo.takeSteering', '{"task":"a"}', {
          headers: authorized,
          timeout: 5_000,
        })
      ).json();
    expect(await take()).toEqual({ messages: [] });
    expect(await deliveries(world)).toEqual([]);
    expect((await agent.say('status', { ...work, steered: [id, 'unknown'] })).steering).toBeUndefined();
    expect((await agent.say('status', { ...work, steered: [id] })).steering).toBeUndefined();
    await until(async () => (await sent(world))[0]?.delivered != null, 'it is delivered');
    expect(await deliveries(world)).toMatchObject([{ by: 'driver', attempt: 1, messages: [id] }]);
  });

  it('is confirmed with the result too; what was not passed on is in the next prompt', async () => {
    await using world = await RemoteWorld.start({ agents: { far: PATIENT } });
    const { agent, word } = await givenWork(world);
    const first = await steer(world, 'Be brief.');
    await steer(world, 'Be quick.');
    const confirm = { ...word, steering: 'confirm' };
    await agent.say('status', { ...confirm, status: 'working' });
    const failed = { status: 'failed', metadata: { completedAt: new Date().toISOString(), duration: 1 } };
    await agent.say('result', { ...confirm, ...failed, steered: [first.id] });
    const { prompt } = await agent.job();
    expect(prompt).toContain('Be quick.');
    expect(await sent(world)).toMatchObject([
      { delivered: { attempt: 1, by: 'driver' } },
      { delivered: null },
    ]);
  });
});

describe.concurrent('a handler of a worker', { timeout: 60_000 }, () => {
  it('gets each message once, also those that came before it listened, and one that it could not take again', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const got: string[] = [];
    let refusals = 1;
    let go = (): void => {};
    await world.worker({
      agent: 'far',
      default: async ({ onSteering, signal }) => {
        await new Promise<void>((resolve) => {
          go = resolve;
          signal.addEventListener('abort', () => resolve());
        });
        onSteering(({ text }: RunMessage) => {
          if (text === 'second' && refusals-- > 0) return false;
          got.push(text);
          return undefined;
        });
        await until(() => signal.aborted || got.includes('third'), 'it is told', 50_000);
        return got.join(', ');
      },
    });
    await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far', max_attempts: 1 });
    await until(async () => (await world.box.readTask(REF)).status === 'working', 'it works');
    await steer(world, 'first');
    await steer(world, 'second');
    go();
    const areDelivered = async (count: number): Promise<boolean> =>
      (await sent(world)).filter(({ delivered }) => delivered?.by === 'driver').length === count;
    await until(() => areDelivered(2), 'both are passed on');
    await steer(world, 'third');
    const { outputs = [] } = await world.box.settledTask(REF, ['outputs']);
    expect(outputs[0]?.content).toBe('first, second, third');
    expect(await areDelivered(3)).toBe(true);
    expect(await world.rejected('far')).toEqual([]);
  });

  it('that does not listen takes none', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    await world.worker({
      agent: 'far',
      default: async ({ job, progress }) => {
        if (job.attempt > 1) return 'done';
        await steer(world, 'Be brief.');
        await progress('half way');
        throw new Error('not yet');
      },
    });
    await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far', max_attempts: 2 });
    await world.box.settledTask(REF);
    expect(await sent(world)).toMatchObject([{ delivered: { attempt: 2, by: 'prompt' } }]);
  });

  it('withdraws a question that it no longer waits for: that is its answer then', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const answers: string[] = [];
    await world.worker({
      agent: 'far',
      default: async ({ ask }) => {
        const gone = new AbortController();
        const { action, comment } = await ask(
          { id: 'q', message: 'Go on?' },
          () => gone.abort(),
          gone.signal,
        );
        answers.push(action);
        return comment ?? '';
      },
    });
    await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far', max_attempts: 1 });
    const { outputs = [] } = await world.box.settledTask(REF, ['outputs']);
    expect(answers).toEqual(['cancelled']);
    expect(outputs[0]?.content).toBe('the agent no longer waits for an answer');
    const { questions } = await world.command<{ questions: object[] }>('demo.listTaskQuestions', {
      task: 'a',
    });
    expect(questions).toMatchObject([{ answer: { action: 'cancelled', by: 'agent:far' } }]);
    expect(await world.rejected('far')).toEqual([]);
  });
});
