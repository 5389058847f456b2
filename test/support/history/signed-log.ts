/** A small log with everything that an audit looks at: tasks, attempts, a redaction, checkpoints and two keys. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redactContent } from '../../../src/app/tasks/redact.ts';
import { Checkpointer } from '../../../src/features/audit/checkpointer.ts';
import type { BundleRequest } from '../../../src/features/audit/export-bundle.ts';
import { exportBundle } from '../../../src/features/audit/export-bundle.ts';
import { KeyFile } from '../../../src/features/audit/key-file.ts';
import type { AuditFinding } from '../../../src/features/audit/log-items.ts';
import { liveItems } from '../../../src/features/audit/log-items.ts';
import { verifyBundle } from '../../../src/features/audit/read-bundle.ts';
import {
  LogVerifier,
  type Verification,
  type VerifierOptions,
} from '../../../src/features/audit/verifier.ts';
import type { LogReader, StoredMessage } from '../../../src/journal/journal.ts';
import { withTombstones } from '../../../src/journal/redactions.ts';
import { functionAgent, PROJECT, silentLogger, startEngine } from '../engine.ts';
import { MemoryJournal, MemoryLog } from '../memory-journal.ts';

export interface SignedLog {
  readonly log: MemoryLog;
  /** Fingerprints of its two keys. */
  readonly keys: readonly [string, string];
  /** A finished task, of which an output is redacted. */
  readonly task: string;
  readonly redacted: number;
}

/** Enough for several checkpoints. The first three letters are the ids. */
const TITLES = [
  'one',
  'two <script>alert(1)</script>',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
];

/** @param everyEvents events between two checkpoints */
export async function signedLog(everyEvents = 10): Promise<SignedLog> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-audit-'));
  const log = new MemoryLog();
  try {
    const checkpointer = await Checkpointer.open({
      keys: new KeyFile(directory),
      logger: silentLogger,
      everyEvents,
    });
    const agents = [functionAgent('echo', ({ spec }) => `did ${spec.title}`, { concurrency: 1 })];
    const test = await startEngine({ agents, keys: checkpointer }, log);
    await checkpointer.start(test.app);
    const first = (await new KeyFile(directory).load()).fingerprint;
    for (const title of TITLES) {
      const { id } = await test.create({ id: title.slice(0, 3).trim(), agent: 'echo', title });
      await test.until(id, ({ state }) => state === 'done');
    }
    const { key: second } = await checkpointer.rotate('user:test');
    const request = { reason: 'a test', output: 1 };
    await redactContent(test.app, { project: PROJECT, task: 'one' }, request, 'user:test');
    const history = await test.history(await test.until('one', () => true));
    const redaction = history.find(({ event }) => event.type === 'task.redacted')?.event;
    await checkpointer.stop();
    await test[Symbol.asyncDispose]();
    const redacted = redaction?.type === 'task.redacted' ? redaction.sequence : 0;
    return { log, keys: [first, second], task: 'one', redacted };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export function readerOf(messages: readonly StoredMessage[]): LogReader {
  const log = new MemoryLog();
  log.messages.push(...messages);
  return new MemoryJournal(log, { onStored: () => {}, onState: () => {} });
}

export interface Audit {
  readonly verification: Verification;
  readonly findings: readonly AuditFinding[];
}

/** What an audit of these messages finds. */
export async function auditOf(
  messages: readonly StoredMessage[],
  options: Partial<VerifierOptions> = {},
): Promise<Audit> {
  const findings: AuditFinding[] = [];
  const onFinding = (finding: AuditFinding): void => {
    findings.push(finding);
  };
  const verifier = new LogVerifier({ first: 1, trusted: new Set(), ...options, onFinding });
  for await (const item of liveItems(readerOf(messages))) verifier.take(item);
  return { verification: verifier.finish(true), findings };
}

/** The text of a bundle of these messages. */
export async function bundleOf(
  messages: readonly StoredMessage[],
  request: BundleRequest = {},
): Promise<string> {
  let text = '';
  const write = async (part: string): Promise<void> => {
    text += part;
  };
  await exportBundle(withTombstones(readerOf(messages)), request, Date.UTC(2026, 0, 1), { write });
  return text;
}

export async function auditOfBundle(
  bundle: string | Uint8Array,
  trusted: readonly string[] = [],
): Promise<Audit> {
  const findings: AuditFinding[] = [];
  const onFinding = (finding: AuditFinding): void => {
    findings.push(finding);
  };
  async function* chunks(): AsyncIterable<Uint8Array> {
    yield Buffer.from(bundle);
  }
  return { verification: await verifyBundle(chunks(), { trusted: new Set(trusted), onFinding }), findings };
}
