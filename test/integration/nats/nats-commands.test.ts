import { Svcm } from '@nats-io/services';
import { describe, expect, it } from 'vitest';
import { deferred } from '../../../src/base/deferred.ts';
import {
  type AttemptAnswer,
  attemptAnswerSchema,
  queueAnswerSchema,
  taskAnswerSchema,
  taskPageSchema,
} from '../../../src/contracts/api/answers.ts';
import {
  backgroundAnswerSchema,
  drainAnswerSchema,
  startedBackgroundSchema,
} from '../../../src/contracts/api/background.ts';
import { jobAnswerSchema } from '../../../src/contracts/api/jobs.ts';
import { problemSchema } from '../../../src/contracts/api/system-answers.ts';
import type { Job } from '../../../src/contracts/messages/agent-messages.ts';
import { addToken } from '../../../src/operations/access/tokens-file.ts';
import { accessIn } from '../../support/http/http.ts';
import { caller } from '../../support/nats/command-caller.ts';
import { REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { until } from '../../support/until.ts';

describe('commands over NATS', () => {
  it('are found by service discovery, each with its HTTP operation', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const client = new Svcm(await world.connect()).client();
    const found = [];
    for await (const each of await client.ping('signalbox')) found.push(each);
    expect(found).toMatchObject([{ name: 'signalbox', type: 'io.nats.micro.v1.ping_response' }]);
    const [info] = await collect(client.info('signalbox'));
    const byName = new Map(info?.endpoints.map((endpoint) => [endpoint.name, endpoint]));
    expect(byName.get('createTask')).toMatchObject({
      subject: 'signalbox.v1.cmd.*.createTask',
      metadata: { http: 'POST /api/projects/{project}/tasks' },
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
        'pauseQueue',
        'resumeQueue',
        'listDeadLetters',
        'redriveDeadLetters',
        'listProcesses',
        'listRejectedMessages',
        'readHealth',
      ]),
    );
  });

  it('do the same as over HTTP, with the same answers', async () => {
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
    await until(
      async () => (await world.box.readTask({ project: 'demo', task: 'a' })).status === 'review',
      'it is handed in',
    );
    expect((await call('demo.explainTask', { task: 'a' })).body).toMatchObject({ status: 'review' });
    const approved = await call('demo.approveTask', { task: 'a', by: 'mia', comment: 'good' });
    expect(approved.body).toMatchObject({ status: 'done' });
    const read = await call('demo.readTask', { task: 'a', expand: 'outputs,attempts' });
    expect(read.body).toMatchObject({ outputs: [{ content: 'a result' }], attempts: [{ agent: 'far' }] });
    await call('other.createTask', { id: 'b', title: 'elsewhere', agent: 'far' });
    for (let time = 0; time < 10; time++) {
      const all = await call('_system.listAllTasks', { limit: 5 });
      expect(taskPageSchema.parse(all.body).tasks).toHaveLength(2);
      const own = await call('demo.listTasks', { limit: 5 });
      expect(taskPageSchema.parse(own.body).tasks).toHaveLength(1);
    }
    const queue = { kind: 'agent', name: 'far' };
    const paused = await call('_system.pauseQueue', { ...queue, by: 'mia', comment: 'later' });
    expect(queueAnswerSchema.parse(paused.body)).toMatchObject({ paused: { by: 'mia', reason: 'later' } });
    expect((await call('_system.pauseQueue', queue)).errorCode).toBe(409);
    expect((await call('_system.resumeQueue', queue)).body).toMatchObject({ paused: null });
    expect((await call('_system.pauseAgent', { agent: 'far' })).body).toMatchObject({ state: 'paused' });
    expect((await call('_system.readHealth')).body).toMatchObject({ ready: true });
  });

  it('refuse what HTTP refuses, as service errors with the problem', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const call = caller(await world.connect());
    const expectProblem = async (subject: string, payload: object, status: number, code: string) => {
      const { body, errorCode } = await call(subject, payload);
      expect(errorCode).toBe(status);
      expect(problemSchema.parse(body)).toMatchObject({ status, code });
    };
    await expectProblem('demo.readTask', { task: 'none' }, 404, 'task_not_found');
    await expectProblem('demo.readTask', { task: 'a b' }, 400, 'invalid_id');
    await expectProblem('demo.readTask', { task: null }, 400, 'invalid_id');
    await expectProblem('demo.listTasks', { project: 'demo' }, 400, 'invalid_request');
    await expectProblem(
      'demo.createTask',
      { project: 'b', title: 'x', agent: 'far' },
      400,
      'invalid_request',
    );
    await expectProblem('demo.createTask', { title: 'x', agnet: 'far' }, 400, 'invalid_request');
    await expectProblem('demo.createTask', { title: 'x', agent: 'absent' }, 404, 'agent_not_found');
    await world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far' });
    await expectProblem('demo.approveTask', { task: 'a' }, 409, 'illegal_transition');
    await expectProblem('demo.rejectTask', { task: 'a' }, 400, 'invalid_request');
    await expectProblem('demo.reportStatus', { task: 'a', status: 'working' }, 401, 'unauthorized');
    const { body } = await call('_system.listRejectedMessages');
    expect(body).toEqual({ rejected_messages: [] });
  });

  it('allow the holder of a token what it may do over HTTP, and no more', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const call = caller(await world.connect());
    const file = accessIn(world.dataDirectory);
    const [admin, observer] = [
      await addToken(file, 'ann', 'admin', Date.now()),
      await addToken(file, 'wall', 'observer', Date.now()),
    ];
    const end = deferred();
    const held = deferred<string>();
    await world.worker({
      agent: 'far',
      default: async ({ job }) => {
        held.resolve(job.token);
        await end.promise;
      },
    });
    await world.box.createTask({ project: 'demo', id: 'a', title: 'held', agent: 'far' });
    const attempt = await held.promise;
    await until(
      async () => (await call('demo.readTask', { task: 'a' }, admin)).status === 200,
      'ann is known',
    );

    expect((await call('demo.readTask', { task: 'a' }, observer)).status).toBe(200);
    expect((await call('demo.cancelTask', { task: 'a' }, observer)).errorCode).toBe(403);
    expect((await call('demo.readTask', { task: 'a' }, attempt)).status).toBe(200);
    expect((await call('demo.cancelTask', { task: 'a' }, attempt)).errorCode).toBe(403);
    expect((await call('other.createTask', { title: 'x' }, attempt)).errorCode).toBe(403);
    expect((await call('demo.cancelTask', { task: 'a' }, 'nobodys')).errorCode).toBe(401);
    expect((await call('demo.readTask', { task: 'a' }, 'nobodys')).errorCode).toBe(401);

    const report = { task: 'a', status: 'working', detail: 'half of it' };
    expect((await call('demo.reportStatus', report, attempt)).status).toBe(200);
    expect((await call('demo.addComment', { task: 'a', author: 'x', body: 'no' }, observer)).errorCode).toBe(
      403,
    );
    // The account of NATS lets in who shows no token, but gives nobody a name.
    expect((await call('demo.addComment', { task: 'a', author: 'bob', body: 'no' })).errorCode).toBe(403);
    expect(
      (await call('demo.addComment', { task: 'a', author: 'ann', body: 'I approve' }, attempt)).errorCode,
    ).toBe(403);
    expect((await call('demo.addComment', { task: 'a', body: 'yes' })).status).toBe(201);
    await call('demo.cancelTask', { task: 'a' }, admin);
    const { body } = await call('demo.readTask', { task: 'a', expand: 'events' });
    const { events = [] } = taskAnswerSchema.parse(body);
    expect(events.find(({ event }) => event.type === 'task.cancelled')?.actor).toBe('user:ann');
    expect(events.find(({ event }) => event.type === 'task.comment_added')?.actor).toBe('user:nats');
    end.resolve();
  });

  it('run shell commands in the background, if that is enabled', async () => {
    await using world = await RemoteWorld.start({ agents: {}, background: {} });
    const call = caller(await world.connect());
    const observer = await addToken(accessIn(world.dataDirectory), 'wall', 'observer', Date.now());
    const list = () => call('_background.listBackground', {}, observer);
    await until(async () => (await list()).status === 200, 'the observer is known');
    expect((await call('_background.runBackground', { command: 'true' }, observer)).errorCode).toBe(403);
    const fields = { 'Idempotency-Key': 'once' };
    const started = await call('_background.runBackground', { command: 'echo over NATS' }, undefined, fields);
    expect(started.status).toBe(201);
    const { task_id: task } = startedBackgroundSchema.parse(started.body);
    const again = await call('_background.runBackground', { command: 'echo over NATS' }, undefined, fields);
    expect(again).toMatchObject({ status: 200, body: { task_id: task } });
    const checked = await call('_background.checkBackground', { task, wait: 5 });
    expect(backgroundAnswerSchema.parse(checked.body)).toMatchObject({
      status: 'completed',
      output: 'over NATS\n',
    });
    const drained = drainAnswerSchema.parse(
      (await call('_background.drainNotifications', { cursor: 'c' })).body,
    );
    expect(drained.results.map(({ task_id }) => task_id)).toEqual([task]);
    expect((await call('_background.drainNotifications', { cursor: 'c' })).body).toMatchObject({
      results: [],
    });
    expect((await call('_background.listBackground')).body).toMatchObject({ tasks: [{ task_id: task }] });

    const hanging = await call('_background.runBackground', { command: 'sleep 600' });
    const { task_id: hung } = startedBackgroundSchema.parse(hanging.body);
    expect((await call('_background.cancelTask', { task: hung })).body).toMatchObject({
      status: 'cancelled',
    });
    // What still runs when Signalbox stops is left for its next start; here there is none.
    const attempt = async (): Promise<AttemptAnswer> =>
      attemptAnswerSchema.parse((await call('_background.readAttempt', { task: hung, attempt: 1 })).body);
    await until(async () => (await attempt()).ended_at !== null, 'its process is gone');
  });

  it("keep the caller's trace, which reaches the worker on another machine", async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const given = deferred<Pick<Job, 'traceparent' | 'tracestate'>>();
    await world.worker({
      agent: 'far',
      default: ({ job }) => {
        given.resolve(job);
        return undefined;
      },
    });
    const call = caller(await world.connect());
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const fields = { traceparent: `00-${trace}-b7ad6b7169203331-01`, tracestate: 'rojo=1' };
    await call(
      'demo.createTask',
      { id: 'a', title: 'x', agent: 'far', outputs: 'optional' },
      undefined,
      fields,
    );
    const { traceparent, tracestate } = await given.promise;
    expect(traceparent).toMatch(new RegExp(`^00-${trace}-[\\da-f]{16}-01$`));
    expect(traceparent).not.toBe(fields.traceparent);
    expect(tracestate).toBe('rojo=1');
    await world.box.settledTask({ project: 'demo', task: 'a' });
  });

  it('wait for an update for the requested time, and are answered at once when Signalbox stops', async () => {
    await using world = await RemoteWorld.start({ agents: { far: { ...REMOTE, capabilities: ['any'] } } });
    const connection = await world.connect();
    const call = caller(connection);
    const job = { task_type: 'any', description: 'wait for it' };
    const created = await call('default.createJob', job);
    expect(created.status).toBe(201);
    const { task_id: task } = jobAnswerSchema.parse(created.body);
    const done = call('default.readJob', { task, wait: 4 });
    await world.worker({ agent: 'far', default: () => 'a result' });
    expect(jobAnswerSchema.parse((await done).body)).toMatchObject({ status: 'completed' });

    await world.box.createTask({
      project: 'demo',
      id: 'slow',
      title: 'slow',
      agent: 'far',
      delay_seconds: 3_600,
    });
    const waiting = call('demo.readTask', { task: 'slow', wait: 60 });
    await connection.flush();
    const began = performance.now();
    await world.down();
    expect((await waiting).body).toMatchObject({ id: 'slow', status: 'scheduled' });
    expect(performance.now() - began).toBeLessThan(4_000);
  });

  it('are completed if they are in flight when Signalbox stops', async () => {
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
