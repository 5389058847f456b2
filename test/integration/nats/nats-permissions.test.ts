import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import {
  AGENT_STREAM,
  agentSubject,
  controlSubject,
  EVENT_STREAM,
  eventSubject,
  inboxPrefix,
  LIVE_SUBJECTS,
  WORK_STREAM,
  workQueueSubjects,
} from '../../../src/contracts/messages/subjects.ts';
import { readCredentials, startWorker } from '../../../src/worker/index.ts';
import { logger, REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { programAt, SERVERS } from '../../support/nats/servers.ts';
import { runCli } from '../../support/process/cli.ts';
import { until } from '../../support/until.ts';

/** Signalbox with two remote agents, and users made by "signalbox nats users". */
class SecuredWorld implements AsyncDisposable {
  readonly world: RemoteWorld;
  readonly #connections: NatsConnection[] = [];

  private constructor(world: RemoteWorld) {
    this.world = world;
  }

  static async start(path: string | undefined): Promise<SecuredWorld> {
    const program = await programAt(path);
    const prepare = async (dataDir: string): Promise<void> => {
      const made = await runCli([
        ...['nats', 'users', '--data-dir', dataDir, '--agent', 'far', '--agent', 'other'],
        ...['--observer', 'watcher', '--operator', 'boss', '--password', 'other'],
      ]);
      expect(made).toMatchObject({ code: 0 });
    };
    return new SecuredWorld(
      await RemoteWorld.start({ agents: { far: REMOTE, other: REMOTE } }, { program, prepare }),
    );
  }

  seedOf(user: string): string {
    return join(this.world.nats.dataDirectory, 'nats', 'users', `${user}.nk`);
  }

  async as(user: string): Promise<NatsConnection> {
    const connection = await connect({
      servers: this.world.nats.url,
      authenticator: await readCredentials(this.seedOf(user)),
      inboxPrefix: inboxPrefix(user),
      noAsyncTraces: true,
    });
    this.#connections.push(connection);
    return connection;
  }

  /** Which of these subjects this user's messages reach. */
  async reached(connection: NatsConnection, subjects: readonly string[], proof: string): Promise<string[]> {
    const admin = await this.world.connect();
    const seen: string[] = [];
    const subscription = admin.subscribe('>', {
      callback: (_, message) => {
        if (message.string() === MARK) seen.push(message.subject);
      },
    });
    await admin.flush();
    for (const subject of subjects) connection.publish(subject, MARK);
    connection.publish(proof, MARK);
    await until(() => seen.includes(proof), 'what is allowed arrives');
    subscription.unsubscribe();
    return subjects.filter((subject) => seen.includes(subject));
  }

  /** Which of these subjects this user can hear. */
  async heard(connection: NatsConnection, subjects: readonly string[], proof: string): Promise<string[]> {
    const seen = new Set<string>();
    for (const subject of [...subjects, proof]) {
      connection.subscribe(subject, {
        callback: (error) => {
          if (!error) seen.add(subject);
        },
      });
    }
    await connection.flush();
    const admin = await this.world.connect();
    for (const subject of subjects) admin.publish(subject.replaceAll(/[*>]/g, 'x'), '{}');
    admin.publish(proof, '{}');
    await until(() => seen.has(proof), 'what is allowed arrives');
    return subjects.filter((subject) => seen.has(subject));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
    await this.world[Symbol.asyncDispose]();
  }
}

const EVENT = eventSubject({ project: 'demo', entity: 'task', id: 'a', name: 'approved' });

/** Tells what was sent here from what Signalbox says. */
const MARK = '{"probe":1}';

const ADMINISTRATION = [
  '$JS.API.INFO',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.CREATE.MINE',
  ...[EVENT_STREAM, WORK_STREAM, AGENT_STREAM].flatMap((stream) => [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.UPDATE.${stream}`,
    `$JS.API.STREAM.PURGE.${stream}`,
    `$JS.API.STREAM.DELETE.${stream}`,
    `$JS.API.STREAM.MSG.DELETE.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.STREAM.SNAPSHOT.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.mine`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.mine`,
    `$JS.API.CONSUMER.DELETE.${stream}.other`,
  ]),
  '$JS.API.CONSUMER.DELETE.SIGNALBOX_WORK.far',
  '$SYS.REQ.SERVER.PING',
];

describe.each(SERVERS)('the least that each user may do, on nats-server %s', (server) => {
  it('an agent does its work with its own credentials, including large results', async () => {
    await using secured = await SecuredWorld.start(server);
    const { box } = secured.world;
    const worker = await startWorker({
      agent: 'far',
      servers: secured.world.nats.url,
      authenticator: await readCredentials(secured.seedOf('far')),
      logger,
      default: ({ job }) => job.title.repeat(200_000),
    });
    await box.createTask({ project: 'demo', id: 'a', title: 'large', agent: 'far' });
    const { status, outputs } = await box.settledTask({ project: 'demo', task: 'a' }, ['outputs']);
    await worker.stop();
    expect(status).toBe('done');
    expect(outputs?.[0]?.content_file?.size).toBe(1_000_000);
  });

  it('an agent can use a password instead of an nkey', async () => {
    await using secured = await SecuredWorld.start(server);
    const path = join(secured.world.nats.dataDirectory, 'nats', 'users', 'other.json');
    const authenticator = await readCredentials(path);
    const servers = secured.world.nats.url;
    const worker = await startWorker({
      agent: 'other',
      servers,
      authenticator,
      logger,
      default: () => 'done',
    });
    await secured.world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'other' });
    expect((await secured.world.box.settledTask({ project: 'demo', task: 'a' })).status).toBe('done');
    await worker.stop();
  });

  it('an agent sends messages only for itself, reads only its own queue, and reaches neither log nor administration', async () => {
    await using secured = await SecuredWorld.start(server);
    const far = await secured.as('far');
    const forbidden = [
      EVENT,
      agentSubject('other', 'status'),
      agentSubject('other', 'result'),
      controlSubject('far', 'cancel'),
      controlSubject('other', 'cancel'),
      'signalbox.v1.live.demo.task.a.approved',
      'signalbox.v1.work.far.demo.a.1',
      'signalbox.v1.rejected.far',
      'signalbox.v1.cmd.demo.approveTask',
      '_INBOX_other.x',
      `$JS.API.CONSUMER.MSG.NEXT.${WORK_STREAM}.other`,
      `$JS.API.CONSUMER.INFO.${WORK_STREAM}.other`,
      `$JS.ACK.${WORK_STREAM}.other.1.1.1.1.0`,
      `$JS.API.CONSUMER.MSG.NEXT.${AGENT_STREAM}.supervisor`,
      `$JS.ACK.${AGENT_STREAM}.supervisor.1.1.1.1.0`,
      `$JS.API.DIRECT.GET.${EVENT_STREAM}`,
      `$JS.API.DIRECT.GET.${WORK_STREAM}`,
      '$O.SIGNALBOX_FILES_other.C.x',
      '$JS.API.STREAM.MSG.GET.OBJ_SIGNALBOX_FILES_other',
      '$JS.API.STREAM.DELETE.OBJ_SIGNALBOX_FILES_far',
      ...ADMINISTRATION,
    ];
    expect(await secured.reached(far, forbidden, agentSubject('far', 'heartbeat'))).toEqual([]);
    const deaf = [
      '>',
      'signalbox.>',
      'signalbox.v1.evt.>',
      LIVE_SUBJECTS,
      agentSubject('other', '>'),
      controlSubject('other', '>'),
      workQueueSubjects('other'),
      workQueueSubjects('far'),
      '_INBOX_other.>',
      '_INBOX.>',
    ];
    expect(await secured.heard(far, deaf, controlSubject('far', 'answer'))).toEqual([]);
  });

  it('an observer reads events, live and stored, and can do nothing else', async () => {
    await using secured = await SecuredWorld.start(server);
    const watcher = await secured.as('watcher');
    const live: string[] = [];
    watcher.subscribe(LIVE_SUBJECTS, {
      callback: (_, { subject }) => {
        live.push(subject);
      },
    });
    await watcher.flush();
    await secured.world.box.createTask({ project: 'demo', id: 'a', title: 'a', agent: 'far' });
    await until(() => live.includes('signalbox.v1.live.demo.task.a.created'), 'it is seen');
    const stored = await watcher.request(`$JS.API.DIRECT.GET.${EVENT_STREAM}`, JSON.stringify({ seq: 1 }));
    expect(stored.json()).toMatchObject({ type: 'dev.signalbox.supervisor.started.v1' });

    const forbidden = [
      EVENT,
      'signalbox.v1.live.demo.task.a.approved',
      agentSubject('far', 'status'),
      controlSubject('far', 'cancel'),
      'signalbox.v1.cmd.demo.approveTask',
      'signalbox.v1.cmd.demo.readTask',
      `$JS.API.DIRECT.GET.${WORK_STREAM}`,
      `$JS.API.DIRECT.GET.${AGENT_STREAM}`,
      `$JS.ACK.${WORK_STREAM}.far.1.1.1.1.0`,
      `$JS.API.CONSUMER.MSG.NEXT.${WORK_STREAM}.far`,
      '_INBOX_far.x',
      ...ADMINISTRATION,
    ];
    const proof = `$JS.API.DIRECT.GET.${EVENT_STREAM}`;
    expect(await secured.reached(watcher, forbidden, proof)).toEqual([]);
    const deaf = [
      'signalbox.v1.evt.>',
      agentSubject('far', '>'),
      controlSubject('far', '>'),
      '_INBOX_far.>',
      '>',
    ];
    expect(await secured.heard(watcher, deaf, 'signalbox.v1.live.demo.task.a.blocked')).toEqual([]);
  });

  it('accepts commands of an operator, and no connection without credentials', async () => {
    await using secured = await SecuredWorld.start(server);
    const boss = await secured.as('boss');
    const task = { id: 'a', title: 'a', agent: 'far' };
    const answer = await boss.request('signalbox.v1.cmd.demo.createTask', JSON.stringify(task));
    expect(answer.json()).toMatchObject({ id: 'a', status: 'pending' });
    const forbidden = [EVENT, agentSubject('far', 'status'), ...ADMINISTRATION];
    expect(await secured.reached(boss, forbidden, 'signalbox.v1.cmd.demo.readTask')).toEqual([]);
    await expect(connect({ servers: secured.world.nats.url })).rejects.toThrow(/authorization/i);
  });
});
