import { jetstreamManager } from '@nats-io/jetstream';
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import {
  AGENT_CONSUMER,
  AGENT_MESSAGE_KINDS,
  AGENT_STREAM,
  agentSubject,
  bucketStream,
  commandSubject,
  controlSubject,
  EVENT_STREAM,
  eventSubject,
  fileBucket,
  LEASE_BUCKET,
  LIVE_SUBJECTS,
  matchesSubject,
  REJECTED_STREAM,
  rejectedSubject,
  STANDBY_SUBJECT,
  WORK_STREAM,
  workSubject,
} from '../../../src/contracts/messages/subjects.ts';
import { accessOf, type OtherUser } from '../../../src/nats/nats-users.ts';
import { OBSERVER, OPERATOR, REMOTE, RemoteWorld } from '../../support/nats/remote.ts';
import { programAt, SERVERS } from '../../support/nats/servers.ts';
import { until } from '../../support/until.ts';

const STREAMS = [
  EVENT_STREAM,
  AGENT_STREAM,
  WORK_STREAM,
  REJECTED_STREAM,
  `KV_${LEASE_BUCKET}`,
  bucketStream('far'),
  bucketStream('other'),
];

const EVENT = eventSubject({ project: 'demo', entity: 'task', id: 'probe', name: 'approved' });

/** Subjects where an answer would do harm. */
const REPLIES = [
  EVENT,
  EVENT.replace('.evt.', '.live.'),
  ...STREAMS.flatMap((stream) => [
    ...['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.DELETE', 'SNAPSHOT', 'RESTORE', 'LEADER.STEPDOWN'].map(
      (name) => `$JS.API.STREAM.${name}.${stream}`,
    ),
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.probe`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.probe`,
    `$JS.API.CONSUMER.DELETE.${stream}.other`,
  ]),
  `$JS.API.CONSUMER.DELETE.${AGENT_STREAM}.${AGENT_CONSUMER}`,
  `$JS.API.CONSUMER.DELETE.${WORK_STREAM}.far`,
  `$JS.API.CONSUMER.MSG.NEXT.${WORK_STREAM}.other`,
  `$JS.ACK.${WORK_STREAM}.other.1.1.1.1.0`,
  `$JS.ACK.${AGENT_STREAM}.${AGENT_CONSUMER}.1.1.1.1.0`,
  `$KV.${LEASE_BUCKET}.probe`,
  `$O.${fileBucket('other')}.C.probe`,
  `$O.${fileBucket('other')}.M.probe`,
  ...AGENT_MESSAGE_KINDS.map((kind) => agentSubject('other', kind)),
  controlSubject('far', 'cancel'),
  controlSubject('other', 'cancel'),
  workSubject({ agent: 'other', project: 'demo', task: 'probe', attempt: 1 }),
  rejectedSubject('other'),
  STANDBY_SUBJECT,
  commandSubject('probe', 'cancelTask'),
  '$SRV.PING.probe',
  '_INBOX_other.probe',
  '$SYS.REQ.SERVER.PING',
];

interface Request {
  readonly subject: string;
  readonly payload: string;
}

const direct = (stream: string): Request[] => [
  { subject: `$JS.API.DIRECT.GET.${stream}`, payload: '{"seq":999999}' },
  { subject: `$JS.API.DIRECT.GET.${stream}`, payload: '{"seq":1}' },
  { subject: `$JS.API.DIRECT.GET.${stream}`, payload: 'x' },
  { subject: `$JS.API.DIRECT.GET.${stream}.nothing`, payload: '' },
];

/** Requests of each role, with an answer of each kind. */
const REQUESTS: Readonly<Record<OtherUser['role'], readonly Request[]>> = {
  agent: [
    { subject: agentSubject('far', 'heartbeat'), payload: '{}' },
    { subject: `$JS.API.CONSUMER.MSG.NEXT.${WORK_STREAM}.far`, payload: '{"batch":1,"no_wait":true}' },
    { subject: `$JS.API.CONSUMER.MSG.NEXT.${WORK_STREAM}.far`, payload: '{' },
    { subject: `$JS.API.CONSUMER.INFO.${WORK_STREAM}.far`, payload: '' },
    { subject: `$JS.ACK.${WORK_STREAM}.far.1.1.1.1.0`, payload: '+ACK' },
    { subject: `$JS.ACK.a.b.${WORK_STREAM}.far.1.1.1.1.0`, payload: '+ACK' },
    { subject: `$O.${fileBucket('far')}.C.probe`, payload: 'x' },
    { subject: `$O.${fileBucket('far')}.M.probe`, payload: 'x' },
    { subject: `$JS.API.STREAM.MSG.GET.${bucketStream('far')}`, payload: '{"seq":1}' },
    { subject: `$JS.API.STREAM.MSG.GET.${bucketStream('far')}`, payload: '{' },
    { subject: `$JS.API.DIRECT.GET.${bucketStream('far')}.nothing`, payload: '' },
  ],
  observer: direct(EVENT_STREAM),
  operator: [
    { subject: commandSubject('_system', 'listAgents'), payload: '' },
    { subject: commandSubject('demo', 'readTask'), payload: '{"task":"none"}' },
    ...['PING', 'INFO', 'STATS', 'PING.signalbox'].map((verb) => ({ subject: `$SRV.${verb}`, payload: '' })),
    ...direct(EVENT_STREAM),
    ...direct(REJECTED_STREAM),
  ],
};

const USERS: readonly OtherUser[] = [
  { name: 'far', role: 'agent' },
  { name: OBSERVER, role: 'observer' },
  { name: OPERATOR, role: 'operator' },
];

/** What was received on the subjects of REPLIES by others than the asker. */
class Received {
  readonly seen: string[] = [];
  asker = '';

  listen(connection: NatsConnection, subjects: readonly string[], who: string): void {
    const note = (_: unknown, { subject }: Msg): void => {
      if (who !== this.asker && REPLIES.includes(subject)) this.seen.push(`${who} got ${subject}`);
    };
    for (const subject of subjects) connection.subscribe(subject, { callback: note });
  }
}

/** Everything about the streams that no user may change. */
async function stateOf(world: RemoteWorld) {
  const manager = await jetstreamManager(await world.connect());
  const streams: Record<string, object> = {};
  for await (const { config, state } of manager.streams.list()) {
    const { name, subjects, max_bytes, deny_purge, deny_delete } = config;
    const { first_seq, consumer_count, num_deleted = 0 } = state;
    const log = name === EVENT_STREAM ? { first_seq, num_deleted } : {};
    streams[name] = { subjects, max_bytes, deny_purge, deny_delete, consumer_count, ...log };
  }
  return streams;
}

describe.each(SERVERS)('answers to a reply subject of the asker, on nats-server %s', (server) => {
  it('nats/answers-stay-with-the-asker: reach no log, no stream, no other user, and Signalbox goes on', {
    timeout: 120_000,
  }, async () => {
    await using world = await RemoteWorld.start(
      { agents: { far: REMOTE, other: REMOTE } },
      { program: await programAt(server) },
    );
    await world.box.createTask({
      project: 'demo',
      id: 'first',
      title: 'first',
      agent: 'far',
      delay_seconds: 3_600,
    });
    const before = await stateOf(world);
    const received = new Received();
    const { seen } = received;
    const admin = await world.connect();
    received.listen(admin, ['>'], 'the account of the log');
    const other = await world.connectAs('other');
    received.listen(other, [controlSubject('other', '>'), '_INBOX_other.>'], 'other');
    for (const name of [OBSERVER, OPERATOR])
      received.listen(await world.connectAs(name), [LIVE_SUBJECTS], name);

    // In the account of the log, an answer does go where the request says: so that the next lines prove something.
    admin.publish(`$JS.API.DIRECT.GET.${EVENT_STREAM}`, '{"seq":1}', {
      reply: controlSubject('far', 'cancel'),
    });
    await until(() => seen.length === 1, 'the probe is seen');
    seen.length = 0;

    for (const user of USERS) {
      received.asker = user.name;
      const { requests, streamedRequests } = accessOf(user);
      const allowed = [...requests, ...streamedRequests];
      const asked = REQUESTS[user.role];
      const untried = allowed.filter((each) => !asked.some(({ subject }) => matchesSubject(each, subject)));
      expect(untried).toEqual([]);
      const replies = REPLIES.filter((reply) => !allowed.some((each) => matchesSubject(each, reply)));
      const connection = await world.connectAs(user.name);
      for (const { subject, payload } of asked) {
        for (const reply of replies) connection.publish(subject, payload, { reply });
        // With an inbox, the same is answered; what was sent before it is then answered, too.
        if (!subject.startsWith('$JS.ACK.')) await connection.request(subject, payload, { timeout: 10_000 });
      }
      // Newer servers report where a message goes, to a subject of the sender's choice.
      for (const reply of replies) {
        const traced = headers();
        traced.set('Nats-Trace-Dest', reply);
        connection.publish(asked[0]?.subject ?? '', asked[0]?.payload, { headers: traced });
      }
      await connection.flush();
    }
    await admin.flush();
    expect(seen).toEqual([]);
    expect(await stateOf(world)).toEqual(before);

    await world.worker({ agent: 'far', default: ({ job }) => job.title });
    await world.box.createTask({ project: 'demo', id: 'last', title: 'last', agent: 'far' });
    expect((await world.box.settledTask({ project: 'demo', task: 'last' })).status).toBe('done');
    const { log } = await world.box.readHealth();
    expect(log.state).toBe('open');
  });
});

describe('a request whose reply subject is not an inbox', () => {
  it('is neither carried out nor answered, and is counted', async () => {
    await using world = await RemoteWorld.start({ agents: { far: REMOTE } });
    const admin = await world.connect();
    const seen: string[] = [];
    const subscription = admin.subscribe('>', { callback: (_, { subject }) => void seen.push(subject) });
    const payload = JSON.stringify({ title: 'by a trick', agent: 'far', id: 'trick' });
    const replies = [EVENT, '$JS.API.STREAM.INFO.X', 'mine', '_INBOX', '_INBOX_far'];
    for (const reply of replies) {
      admin.publish(commandSubject('demo', 'createTask'), payload, { reply });
      admin.publish('$SRV.PING', '', { reply });
    }
    const { nats } = (await admin.request(commandSubject('_system', 'readHealth'))).json<{
      nats: { refused_requests: number };
    }>();
    expect(nats.refused_requests).toBe(2 * replies.length);
    for (const reply of replies) expect(seen).not.toContain(reply);
    await expect(world.box.readTask({ project: 'demo', task: 'trick' })).rejects.toMatchObject({
      code: 'task_not_found',
    });
    subscription.unsubscribe();
  });
});
