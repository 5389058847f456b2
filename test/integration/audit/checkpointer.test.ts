/** Checkpoints and the signing key. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemEnvironment } from '../../../src/base/environment.ts';
import type { EventOf, StoredRecord } from '../../../src/contracts/events/events.ts';
import { Checkpointer } from '../../../src/features/audit/checkpointer.ts';
import { KeyFile } from '../../../src/features/audit/key-file.ts';
import { readRecords } from '../../../src/journal/codec/cloud-event.ts';
import { functionAgent, silentLogger, startEngine, type TestEngine } from '../../support/engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { auditOf } from '../../support/history/signed-log.ts';
import { MemoryLog } from '../../support/memory-journal.ts';
import { until } from '../../support/until.ts';

const agents = [functionAgent('idle', () => new Promise(() => {}))];

describe('checkpoints', () => {
  let directory: string;
  let log: MemoryLog;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signalbox-checkpoints-'));
    log = new MemoryLog();
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  interface Run {
    readonly test: TestEngine;
    readonly checkpointer: Checkpointer;
  }

  async function start(
    settings: { everyEvents?: number; everyMs?: number; clock?: FakeClock } = {},
  ): Promise<Run> {
    const { clock, ...every } = settings;
    const checkpointer = await Checkpointer.open({
      keys: new KeyFile(directory),
      logger: silentLogger,
      ...every,
    });
    const environment = clock ? { ...systemEnvironment, clock } : systemEnvironment;
    const test = await startEngine({ agents, keys: checkpointer, environment }, log);
    await checkpointer.start(test.app);
    return { test, checkpointer };
  }

  async function stop({ test, checkpointer }: Run): Promise<void> {
    await checkpointer.stop();
    await test[Symbol.asyncDispose]();
  }

  const records = (): StoredRecord[] => log.messages.flatMap(readRecords);
  const checkpoints = (): EventOf<'supervisor.checkpointed'>[] =>
    records().flatMap(({ event }) => (event.type === 'supervisor.checkpointed' ? [event] : []));
  const create = async ({ test }: Run, count: number): Promise<void> => {
    for (let index = 0; index < count; index++) await test.create({ agent: 'idle', delay_seconds: 1_000 });
  };

  it('audit/checkpoints-signed: cover everything since the first key without a gap, over stops and crashes', async () => {
    const first = await start({ everyEvents: 5 });
    await create(first, 12);
    await stop(first);
    // A crash: no checkpoint at the stop.
    const second = await start({ everyEvents: 5 });
    await create(second, 3);
    await second.test[Symbol.asyncDispose]();
    const third = await start({ everyEvents: 5 });
    await create(third, 3);
    await stop(third);
    const all = checkpoints();
    expect(all.length).toBeGreaterThanOrEqual(4);
    const key = records().find(({ event }) => event.type === 'supervisor.key_introduced');
    expect(all[0]?.from).toBe(key?.sequence);
    for (const [index, each] of all.entries())
      if (index > 0) expect(each.from).toBe((all[index - 1]?.sequence ?? 0) + 1);
    expect(await auditOf(log.messages)).toMatchObject({
      findings: [],
      verification: { keys: [expect.any(String)] },
    });
  });

  it('are written after a time with events, and not after a time without', async () => {
    const clock = new FakeClock();
    const run = await start({ everyMs: 60_000, clock });
    await create(run, 1);
    const before = checkpoints().length;
    clock.advance(60_001);
    await until(() => checkpoints().length === before + 1, 'a checkpoint after a minute');
    const { length } = log.messages;
    clock.advance(600_000);
    await setImmediate();
    await setImmediate();
    expect(log.messages.length).toBe(length);
    await stop(run);
  });

  it('do not delay a stop if the log is unreachable, and cover the events later', async () => {
    const clock = new FakeClock();
    const run = await start({ clock });
    await create(run, 2);
    log.reachable = false;
    const stopped = run.checkpointer.stop();
    clock.advance(2_001);
    await stopped;
    expect(checkpoints()).toEqual([]);
    log.reachable = true;
    await until(() => checkpoints().length === 1, 'the checkpoint that was under way');
    const files = () => readdir(join(directory, 'audit'));
    await until(async () => (await files()).includes('last-checkpoint.json'), 'it is noted');
    await run.test[Symbol.asyncDispose]();
    expect((await auditOf(log.messages)).findings).toEqual([]);
  });

  it('use a key file that only its owner can read, and whose private part is in no event', async () => {
    const run = await start();
    await run.checkpointer.rotate('user:test');
    await stop(run);
    const { path } = new KeyFile(directory);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const secret = (await readFile(path, 'utf8')).split('\n')[1] ?? '';
    expect(secret.length).toBeGreaterThan(40);
    expect(log.messages.some(({ bytes }) => Buffer.from(bytes).includes(secret))).toBe(false);
    expect(await readdir(join(directory, 'audit'))).toEqual(['last-checkpoint.json', 'signing-key.pem']);
  });

  it('use the new key after a crash only if the rotation is in the log', async () => {
    const keys = new KeyFile(directory);
    const first = await start();
    const old = (await keys.load()).fingerprint;
    const next = await keys.prepareNext();
    await stop(first);
    const second = await start();
    expect((await keys.load()).fingerprint).toBe(old);
    // The process dies after the key is in the log.
    keys.adoptNext = () => Promise.reject(new Error('killed'));
    const dying = await Checkpointer.open({ keys, logger: silentLogger });
    await second.checkpointer.stop();
    await dying.start(second.test.app);
    await expect(dying.rotate('user:test')).rejects.toThrow('killed');
    await second.test[Symbol.asyncDispose]();

    const third = await start();
    expect((await new KeyFile(directory).load()).fingerprint).toBe(next.fingerprint);
    await create(third, 1);
    await stop(third);
    expect(await auditOf(log.messages, { trusted: new Set([old]) })).toMatchObject({
      findings: [],
      verification: { keys: [old, next.fingerprint] },
    });
  });

  it('start a new chain after a lost key, which an audit accepts only if it is trusted', async () => {
    await stop(await start());
    await rm(join(directory, 'audit'), { recursive: true });
    await stop(await start());
    const { findings, verification } = await auditOf(log.messages);
    expect(findings).toMatchObject([{ kind: 'key' }]);
    expect(verification.keys).toHaveLength(2);
    expect((await auditOf(log.messages, { trusted: new Set(verification.keys) })).findings).toEqual([]);
  });
});
