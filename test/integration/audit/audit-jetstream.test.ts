/** Audit and erasure on a real stream: findings, and content that is gone from the disk. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newProjections } from '../../../projections/index.ts';
import { natsSource } from '../../../src/engine/replay/event-source.ts';
import { checkHistory } from '../../../src/engine/replay/replay.ts';
import { ActorHost } from '../../../src/engine/runtime/actor-host.ts';
import { rebuild } from '../../../src/engine/runtime/rebuild.ts';
import type { AuditFinding } from '../../../src/features/audit/log-items.ts';
import { liveItems } from '../../../src/features/audit/log-items.ts';
import { LogVerifier } from '../../../src/features/audit/verifier.ts';
import { openLogReader } from '../../../src/journal/jetstream/jetstream-reader.ts';
import type { JournalEntry } from '../../../src/journal/journal.ts';
import { tombstones, withTombstones } from '../../../src/journal/redactions.ts';
import { entryOf } from '../../support/history/recording-journal.ts';
import { type SignedLog, signedLog } from '../../support/history/signed-log.ts';
import { JetStreamLog } from '../../support/nats/jetstream-log.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';

const SECRET = 'hunter2-battery-staple';

describe('a log on JetStream', () => {
  let server: TestNatsServer;
  let made: SignedLog;

  beforeAll(async () => {
    server = await natsServer();
    made = await signedLog();
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  /** The log of `made` on the server; its erased event is stored with a secret first. */
  async function loaded(): Promise<JetStreamLog> {
    const log = await JetStreamLog.fresh(server);
    const entries: JournalEntry[] = [...made.log.messages];
    entries.splice(made.redacted - 1, 0, entryOf('erased', `{"secret":"${SECRET}"}`));
    const { journal } = await log.open();
    await log.replaceWith(entries);
    await journal.erase(made.redacted);
    return log;
  }

  async function audit(log: JetStreamLog, last = made.log.tip()): Promise<readonly AuditFinding[]> {
    const findings: AuditFinding[] = [];
    const onFinding = (finding: AuditFinding): void => {
      findings.push(finding);
    };
    const anchors = [{ what: 'the mark', ...last }];
    const verifier = new LogVerifier({ first: 1, trusted: new Set(), anchors, onFinding });
    for await (const item of liveItems(await openLogReader(await log.connect()))) verifier.take(item);
    verifier.finish(true);
    return findings;
  }

  it('verifies with an erased event, and is rebuilt', async () => {
    await using log = await loaded();
    expect(await audit(log)).toEqual([]);
    const reader = withTombstones(await openLogReader(await log.connect()));
    const { tip } = await rebuild(reader.read({ from: 1 }), new ActorHost(), newProjections());
    expect(tip).toEqual(made.log.tip());
  });

  it('is replayed with the tombstone of an erased event, whether it is read or followed', async () => {
    await using log = await loaded();
    const source = await natsSource(await log.connect());
    const { sequence: last } = made.log.tip();
    const { events, divergence } = await checkHistory(source);
    expect(divergence).toBeNull();
    expect(events).toBeGreaterThan(last);
    const inProject: number[] = [];
    for await (const { sequence } of source.read({ project: 'demo' })) inProject.push(sequence);
    expect(inProject).toContain(made.redacted);
    const stop = new AbortController();
    const followed: number[] = [];
    for await (const { sequence } of source.follow({}, stop.signal)) {
      followed.push(sequence);
      if (sequence === last) stop.abort();
    }
    expect(followed).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    const live = (await openLogReader(await log.connect())).readLive(
      { from: 1, fill: tombstones(await openLogReader(await log.connect())) },
      new AbortController().signal,
    );
    for await (const { sequence, originalHash } of live) {
      if (sequence < made.redacted) continue;
      expect({ sequence, isTombstone: originalHash !== undefined }).toEqual({
        sequence: made.redacted,
        isTombstone: true,
      });
      break;
    }
  });

  it('erases first, middle and late messages from the files of the store', async () => {
    await using log = await JetStreamLog.fresh(server);
    const writer = await log.open({ acknowledgementTimeoutMs: 500 });
    await writer.takeOver('epoch');
    const { journal } = writer;
    const secrets = ['first', 'middle', 'late'].map((place) => `${SECRET}-${place}`);
    const texts = [secrets[0], 'x', secrets[1], 'y', secrets[2], 'z'];
    for (const [index, text] of texts.entries()) {
      writer.appended.push(`e${index}`);
      journal.append(entryOf(`e${index}`, text));
    }
    await writer.allReported();
    expect(await held(secrets)).toEqual(secrets);
    for (const sequence of [2, 4, 6]) await journal.erase(sequence);
    await journal.erase(4);
    expect(await held(secrets)).toEqual([]);
    await server.restart();
    const isBack = (): Promise<boolean> =>
      journal.tip().then(
        () => true,
        () => false,
      );
    await expect.poll(isBack, { timeout: 15_000 }).toBe(true);
    expect(await held(secrets)).toEqual([]);
    const ids: string[] = [];
    for await (const { id } of journal.readPresent({ from: 1 })) ids.push(id);
    expect(ids).toEqual(['epoch', 'e1', 'e3', 'e5']);
  });

  it('reports a deleted event, and a missing end', async () => {
    await using log = await loaded();
    await log.remove(12);
    expect(await audit(log)).toMatchObject([{ kind: 'gap', sequence: 12 }]);
    const { sequence } = made.log.tip();
    await log.remove(sequence);
    expect(await audit(log)).toMatchObject([
      { kind: 'gap', sequence: 12 },
      { kind: 'truncated', sequence },
    ]);
  });

  it('reports an event of another writer', async () => {
    await using log = await loaded();
    const last = made.log.messages.at(-1);
    if (!last) throw new Error('the log is empty');
    await log.intrude({ ...last, id: 'intruder-0' });
    const findings = await audit(log);
    expect(
      findings.every(({ sequence }) => sequence === last.sequence + 1 || sequence === last.sequence),
    ).toBe(true);
    expect(findings.map(({ kind }) => kind)).toContain('identity');
  });

  it('reports an event with a bit flipped on the disk', async () => {
    await using log = await loaded();
    const target = made.log.messages.find(({ bytes }) => Buffer.from(bytes).includes('did three'));
    if (!target) throw new Error('there is no such event');
    await server.restart(async () => {
      for (const file of await filesOf(server.storeDir)) await flip(file, 'did three');
    });
    await log.manager();
    const findings = await audit(log);
    expect(findings[0]?.sequence).toBe(target.sequence);
  });

  async function held(texts: readonly string[]): Promise<string[]> {
    const found = new Set<string>();
    for (const file of await filesOf(server.storeDir)) {
      const bytes = await readFile(file);
      for (const text of texts) if (bytes.includes(text)) found.add(text);
    }
    return texts.filter((text) => found.has(text));
  }
});

async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Flips a bit of a text in a file. */
async function flip(file: string, text: string): Promise<void> {
  const bytes = await readFile(file);
  const at = bytes.indexOf(text);
  if (at < 0) return;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(file, bytes);
}
