/**
 * Records golden histories: `npm run record-history` writes those of this version anew, and
 * `npm run record-history -- --states` only the states to which all of them lead, after a change in what a projection
 * keeps. Without that, it checks that every scenario still ends.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { memorySource } from '../../src/engine/replay/event-source.ts';
import { lineOf } from '../../src/engine/replay/file-source.ts';
import { checkHistory } from '../../src/engine/replay/replay.ts';
import { readRecords } from '../../src/journal/codec/cloud-event.ts';
import type { StoredMessage } from '../../src/journal/journal.ts';
import { withTombstones } from '../../src/journal/redactions.ts';
import { VERSION } from '../../src/version.ts';
import { goldenHistories, goldenHistory, writeState } from '../support/histories/golden.ts';
import { SCENARIOS, UNRELEASED } from '../support/histories/scenarios.ts';
import { readerOf } from '../support/history/signed-log.ts';
import type { MemoryLog } from '../support/memory-journal.ts';

const RECORD = process.env.RECORD_HISTORY;

// A history names the machine and the process that wrote it: here placeholders.
vi.mock('node:os', async (original) => ({
  ...(await original<object>()),
  hostname: () => 'signalbox.example',
}));
const pid = process.pid;
beforeAll(() => {
  Object.defineProperty(process, 'pid', { value: 4_242, configurable: true });
});
afterAll(async () => {
  Object.defineProperty(process, 'pid', { value: pid, configurable: true });
  if (RECORD !== undefined) for (const history of await goldenHistories()) await writeState(history);
});

/** As they are read: erased content is replaced by its tombstone. */
async function messagesOf(log: MemoryLog): Promise<StoredMessage[]> {
  const messages: StoredMessage[] = [];
  for await (const message of withTombstones(readerOf(log.messages)).read({ from: 1 }))
    messages.push(message);
  return messages;
}

describe('the scenarios of golden histories', () => {
  it.each(Object.entries(SCENARIOS))('%s finishes, and its log replays', async (name, scenario) => {
    const messages = await messagesOf((await scenario()).log);
    const { events, divergence } = await checkHistory(memorySource(messages));
    expect({ events, divergence }).toEqual({
      events: messages.flatMap(readRecords).length,
      divergence: null,
    });
    const isUnreleased = UNRELEASED.has(name);
    if (RECORD !== 'all' && !(RECORD === 'unreleased' && isUnreleased)) return;
    const { file } = goldenHistory(isUnreleased ? 'unreleased' : VERSION, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, messages.map((message) => `${lineOf(message)}\n`).join(''));
  });
});
