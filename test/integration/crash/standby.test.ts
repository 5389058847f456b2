import { connect } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import type { ScheduleAnswer } from '../../../src/contracts/api/schedules.ts';
import type { StoredRecord } from '../../../src/contracts/events/events.ts';
import { readRecords } from '../../../src/journal/codec/cloud-event.ts';
import { openJetStreamJournal } from '../../../src/journal/jetstream/jetstream-journal.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';
import { runCli } from '../../support/process/cli.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const TASKS = '/api/projects/demo/tasks';
const AGENTS = {
  slow: {
    driver: 'command',
    command: [
      'sh',
      '-c',
      'echo "$SIGNALBOX_TASK_ID" >> starts; while [ ! -e go ]; do sleep 0.1; done; echo done',
    ],
    cwd: '.',
    concurrency: 10,
  },
  quick: { driver: 'command', command: ['echo', 'done'], concurrency: 10 },
};
/** Milliseconds that a leader stands still: far longer than its lease, at least. */
const PAUSE_MS = Number(process.env.STANDBY_PAUSE_SECONDS ?? 6) * 1_000;

/** A leader with agents at work, and a standby, on one machine with one data directory. */
class Pair implements AsyncDisposable {
  readonly nats: TestNatsServer;
  readonly leader: Sandbox;
  readonly standby: Sandbox;

  private constructor(nats: TestNatsServer, leader: Sandbox, standby: Sandbox) {
    this.nats = nats;
    this.leader = leader;
    this.standby = standby;
  }

  /** @param more of the configuration, beside the agents */
  static async start(more: object = {}): Promise<Pair> {
    const nats = await natsServer();
    const { user, pass } = nats.connectOptions;
    const env = { NATS_URL: nats.url.replace('nats://', `nats://${user}:${pass}@`) };
    const leader = await Sandbox.create({ config: {}, env });
    const agents = { ...AGENTS, slow: { ...AGENTS.slow, cwd: leader.directory } };
    const data_dir = `${leader.directory}/data`;
    const config = { defaults: { review: 'auto' }, data_dir, agents, ...more };
    await leader.configure(config);
    const standby = await Sandbox.create({ config, env });
    await leader.up();
    await standby.standBy();
    return new Pair(nats, leader, standby);
  }

  async givenWork(): Promise<void> {
    for (const id of ['a', 'b', 'c']) await this.leader.post(TASKS, { id, title: id, agent: 'slow' });
    await until(async () => (await this.leader.lines('starts')).length === 3, 'three agents at work');
  }

  /** What `signalbox doctor` says beside them. */
  async doctor(): Promise<string> {
    const { user, pass } = this.nats.connectOptions;
    const env = { NATS_URL: this.nats.url.replace('nats://', `nats://${user}:${pass}@`) };
    return (await runCli(['doctor'], { cwd: this.leader.directory, env })).out;
  }

  /** The standby finishes the work, each task with its first and only attempt. */
  async expectFinished(): Promise<void> {
    await this.leader.touch('go');
    await until(async () => {
      const { tasks } = await this.standby.get<{ tasks: { status: string; attempt: number }[] }>(
        '/api/tasks',
      );
      return tasks.every(({ status, attempt }) => status === 'done' && attempt === 1);
    }, 'the agents that ran on have finished');
    expect((await this.leader.lines('starts')).sort()).toEqual(['a', 'b', 'c']);
  }

  async records(): Promise<StoredRecord[]> {
    const connection = await connect(this.nats.connectOptions);
    const journal = await openJetStreamJournal(connection, { onStored: () => {}, onState: () => {} });
    const records: StoredRecord[] = [];
    for await (const message of journal.read({ from: 1 })) records.push(...readRecords(message));
    await connection.close();
    return records;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.standby[Symbol.asyncDispose]();
    await this.leader[Symbol.asyncDispose]();
    await this.nats.stop();
  }
}

function writersOf(records: readonly StoredRecord[]): string[] {
  return records.flatMap(({ event }) => (event.type === 'supervisor.started' ? [event.writer] : []));
}

describe.concurrent('a standby', { timeout: 120_000 }, () => {
  it('takes over within seconds of kill -9, and running agents continue', async () => {
    await using pair = await Pair.start();
    await pair.givenWork();
    const waits = new RegExp(`standby +process ${pair.standby.pid} on host .* is waiting`);
    expect(await pair.doctor()).toMatch(waits);
    const start = performance.now();
    await pair.leader.kill('SIGKILL');
    await pair.standby.ready();
    expect(performance.now() - start).toBeLessThan(5_000);
    await pair.expectFinished();
    expect(await pair.doctor()).not.toMatch(waits);
  });

  it('standby/acts-only-with-lease: takes over from a leader that hangs, which writes nothing when it wakes', async () => {
    await using pair = await Pair.start();
    await pair.givenWork();
    process.kill(pair.leader.pid, 'SIGSTOP');
    const stopped = performance.now();
    await pair.standby.ready();
    // What comes in over its open connections waits for it, too.
    const late = pair.leader.post(TASKS, { id: 'late', title: 'asked of the old one', agent: 'slow' });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS - (performance.now() - stopped)));
    process.kill(pair.leader.pid, 'SIGCONT');
    expect((await pair.leader.exited()).code).toBe(1);
    expect(pair.leader.log).toMatch(/another Signalbox has taken over the log|was written by another/);
    expect((await late.catch(() => null))?.status ?? 503).toBe(503);

    await pair.expectFinished();
    const records = await pair.records();
    const [old = '', present = ''] = writersOf(records);
    const takeOver = records.findIndex(({ id }) => id.startsWith(present));
    expect(records.slice(takeOver).filter(({ id }) => id.startsWith(old))).toEqual([]);
    expect(records.some(({ event }) => 'task' in event && event.task === 'late')).toBe(false);
  });

  it('schedules/each-time-once: goes on with a schedule whose time was decided when the leader was killed', async () => {
    const task = { title: 'Tick of {{nominal_time}}', agent: 'quick' };
    const every = { every_seconds: 10, catch_up: 'all', overlap: 'allow_all', project: 'demo' };
    await using pair = await Pair.start({ schedules: { tick: { ...every, task } } });
    const connection = await connect(pair.nats.connectOptions);
    const fired = connection.subscribe('signalbox.v1.live._system.schedule.tick.fired', { max: 1 });
    for await (const _ of fired) pair.leader.signal('SIGKILL');
    await connection.close();
    await pair.standby.ready();
    await until(
      async () => {
        const { runs } = await pair.standby.get<ScheduleAnswer>('/api/schedules/tick');
        return runs.length >= 2 && runs.every(({ task_status }) => task_status === 'done');
      },
      'the time of the leader and one of the standby are done',
      60_000,
    );
    const records = await pair.records();
    const decided = records.flatMap(({ event }) =>
      event.type === 'schedule.fired' ? [[event.nominal_ms, event.task_id]] : [],
    );
    const created = records.flatMap(({ event }) =>
      event.type === 'task.created' ? [[event.spec.schedule?.nominal_ms, event.task]] : [],
    );
    expect(created).toEqual(decided);
    const [first = 0] = decided.map(([time]) => Number(time));
    expect(decided.map(([time]) => time)).toEqual(decided.map((_, index) => first + index * 10_000));
  });

  it('takes over at once from a leader that stops, also with an embedded server', async () => {
    await using leader = await Sandbox.create({ config: {} });
    const config = { data_dir: `${leader.directory}/data`, agents: {} };
    await leader.configure(config);
    await using standby = await Sandbox.create({ config });
    await leader.up();
    const waiting = standby.standBy();
    await until(() => standby.log.includes('waiting for the data directory'), 'it stands by');
    await leader.kill('SIGTERM');
    await waiting;
    await standby.ready();
    expect((await standby.get<{ ready: boolean }>('/health')).ready).toBe(true);
  });
});
