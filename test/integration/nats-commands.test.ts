import { Svcm } from '@nats-io/services';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { problemSchema, taskAnswerSchema, taskPageSchema } from '../../src/contracts/answers.ts';
import { REMOTE, RemoteWorld } from '../support/remote.ts';
import { until } from '../support/until.ts';

interface Reply {
  readonly body: unknown;
  readonly status: number;
  readonly errorCode: number;
}

function caller(connection: NatsConnection) {
  return async (subject: string, payload: object = {}, token?: string): Promise<Reply> => {
    const sent = headers();
    if (token !== undefined) sent.set('Authorization', `Bearer ${token}`);
    const reply = await connection.request(`signalbox.v1.cmd.${subject}`, JSON.stringify(payload), {
      timeout: 5_000,
      headers: sent,
    });
    return {
      body: reply.json(),
      status: Number(reply.headers?.get('Signalbox-Status') ?? 0),
      errorCode: Number(reply.headers?.get('Nats-Service-Error-Code') ?? 0),
    };
  };
}

describe('commands over NATS', () => {
  it('are found by service discovery, each with the HTTP operation that it is', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const client = new Svcm(await world.connect()).client();
    const found = [];
    for await (const each of await client.ping('signalbox')) found.push(each);
    expect(found).toMatchObject([{ name: 'signalbox', type: 'io.nats.micro.v1.ping_response' }]);
    const [info] = await collect(client.info('signalbox'));
    const byName = new Map(info?.endpoints.map((endpoint) => [endpoint.name, endpoint]));
    expect(byName.get('createTask')).toMatchObject({
      subject: 'signalbox.v1.cmd.*.createTask',
      metadata: { http: 'POST /api/projects/:project/tasks' },
    });
    expect([...byName.keys()]).toEqual(
      expect.arrayContaining([
        'readTask',
        'listTasks',
        'explainTask',
        'reportStatus',
        'addOutput',
        'addComment',
        'approveTask',
        'listAttempts',
        'readAttempt',
        'readAttemptLog',
        'killAttempt',
        'listAgents',
        'pauseAgent',
        'listDeadLetters',
        'redriveDeadLetters',
        'listProcesses',
        'listRejectedMessages',
        'readHealth',
      ]),
    );
  });

  it('do what HTTP does, with the same answers', async () => {
    await using world = await RemoteWorld.start({
      agents: { far: REMOTE },
      defaults: { review: 'manual' },
    });
    await world.worker({ agent: 'far', default: () => 'a result' });
    const call = caller(await world.connect());
    const request = { id: 'a', title: 'asked for', agent: 'far', idempotency_key: 'k' };
    const created = await call('demo.createTask', request);
    expect(created.status).toBe(201);
    expect(taskAnswerSchema.parse(created.body)).toMatchObject({ id: 'a', project: 'demo', agent: 'far' });
    expect((await call('demo.createTask', request)).status).toBe(200);
    await until(async () => (await world.box.task('demo', 'a')).state === 'review', 'it is handed in');
    expect((await call('demo.explainTask', { task: 'a' })).body).toMatchObject({ state: 'review' });
    const approved = await call('demo.approveTask', { task: 'a', by: 'mia', comment: 'good' });
    expect(approved.body).toMatchObject({ state: 'done' });
    const read = await call('demo.readTask', { task: 'a', expand: 'outputs,attempts' });
    expect(read.body).toMatchObject({ outputs: [{ content: 'a result' }], attempts: [{ agent: 'far' }] });
    await call('other.createTask', { id: 'b', title: 'elsewhere', agent: 'far' });
    for (let time = 0; time < 10; time++) {
      const all = await call('_system.listAllTasks', { limit: 5 });
      expect(taskPageSchema.parse(all.body).tasks).toHaveLength(2);
      const own = await call('demo.listTasks', { limit: 5 });
      expect(taskPageSchema.parse(own.body).tasks).toHaveLength(1);
    }
    expect((await call('_system.pauseAgent', { agent: 'far' })).body).toMatchObject({ state: 'paused' });
    expect((await call('_system.readHealth')).body).toMatchObject({ ready: true });
  });

  it('refuse what HTTP refuses, as service errors that hold the problem', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const call = caller(await world.connect());
    const expectProblem = async (subject: string, payload: object, status: number, code: string) => {
      const { body, errorCode } = await call(subject, payload);
      expect(errorCode).toBe(status);
      expect(problemSchema.parse(body)).toMatchObject({ status, code });
    };
    await expectProblem('demo.readTask', { task: 'none' }, 404, 'task_not_found');
    await expectProblem('demo.readTask', { task: 'a b' }, 400, 'invalid_id');
    await expectProblem('demo.createTask', { title: 'x', agnet: 'far' }, 400, 'invalid_request');
    await expectProblem('demo.createTask', { title: 'x', agent: 'nobody' }, 404, 'agent_not_found');
    await world.box.createTask('demo', { id: 'a', title: 'a', agent: 'far' });
    await expectProblem('demo.approveTask', { task: 'a' }, 409, 'illegal_transition');
    await expectProblem('demo.rejectTask', { task: 'a' }, 400, 'invalid_request');
    await expectProblem('demo.reportStatus', { task: 'a', status: 'working' }, 401, 'unauthorized');
    const { body } = await call('_system.listRejectedMessages');
    expect(body).toEqual({ rejected_messages: [] });
  });

  it('answer those under way and go when Signalbox stops', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const connection = await world.connect();
    const call = caller(connection);
    const answers = Array.from({ length: 50 }, (_, index) =>
      call('demo.createTask', { id: `t${index}`, title: 'last', agent: 'far' }),
    );
    await connection.flush();
    await world.down();
    const statuses = await Promise.allSettled(answers);
    for (const answer of statuses) {
      if (answer.status === 'fulfilled')
        expect([201, 503]).toContain(answer.value.status || answer.value.errorCode);
      else expect(String(answer.reason)).toContain('no responders');
    }
    await expect(call('_system.readHealth')).rejects.toThrow(/no responders/);
  });
});

async function collect<T>(iterator: Promise<AsyncIterable<T>>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of await iterator) found.push(each);
  return found;
}
