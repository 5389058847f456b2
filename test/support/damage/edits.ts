/** Edits of a stored log, as a careless operator, a failing disk or an attacker makes them. */
import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { JetStreamApiError, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { EVENT_STREAM } from '../../../src/contracts/messages/subjects.ts';
import { layoutOf } from '../../../src/daemon/embedded/layout.ts';
import type { Random } from '../simulation/random.ts';

export const FILE_EDITS = ['flip', 'truncate', 'swap', 'remove'] as const;
export const API_EDITS = ['purge', 'delete', 'recreate'] as const;
export type EditKind = (typeof FILE_EDITS)[number] | (typeof API_EDITS)[number];

export function isFileEdit(kind: EditKind): kind is (typeof FILE_EDITS)[number] {
  return FILE_EDITS.some((each) => each === kind);
}

/**
 * Edits the files of the server's store.
 * @param which `full`: only blocks that the server does not write to any more. @returns what was done
 */
export async function editFiles(
  kind: (typeof FILE_EDITS)[number],
  dataDirectory: string,
  random: Random,
  which: 'full' | 'all' = 'all',
): Promise<string> {
  const directory = await blockDirectory(dataDirectory);
  const blocks = (await readdir(directory)).filter((name) => name.endsWith('.blk')).sort();
  const block = join(directory, random.pick(which === 'full' ? blocks.slice(0, -1) : blocks));
  switch (kind) {
    case 'flip': {
      const bytes = await readFile(block);
      const at = random.int(0, bytes.length - 1);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(0, 8 - 1));
      await writeFile(block, bytes);
      return `flipped a bit of byte ${at} of ${bytes.length} in ${basename(block)}`;
    }
    case 'truncate': {
      const { length } = await readFile(block);
      const size = random.int(0, length - 1);
      await truncate(block, size);
      return `cut ${basename(block)} from ${length} to ${size} bytes`;
    }
    case 'swap': {
      const first = random.pick(blocks.slice(0, -1));
      const second = random.pick(blocks.filter((name) => name > first));
      const [one, other] = [join(directory, first), join(directory, second)];
      await rename(one, `${one}.aside`);
      await rename(other, one);
      await rename(`${one}.aside`, other);
      return `swapped ${first} and ${second}`;
    }
    case 'remove':
      await rm(block);
      return `removed ${basename(block)}`;
  }
}

/** A server that many edits share a machine with answers late. */
const EDIT_TIMEOUT_MS = 30_000;

/** Edits the stream through the server. @returns what was done */
export async function editStream(
  kind: (typeof API_EDITS)[number],
  connection: NatsConnection,
  random: Random,
): Promise<string> {
  const manager: JetStreamManager = await jetstreamManager(connection, { timeout: EDIT_TIMEOUT_MS });
  const { last_seq: last } = (await manager.streams.info(EVENT_STREAM)).state;
  switch (kind) {
    case 'purge': {
      // The stream refuses a purge; single deletions leave what a purge would leave.
      const keep = random.pick([0, 10, last - 10, random.int(1, last - 10)]);
      for (let sequence = 1; sequence <= last - keep; sequence++) {
        await manager.streams.deleteMessage(EVENT_STREAM, sequence).catch(ignoreErased);
      }
      return `deleted all but ${keep} of ${last}`;
    }
    case 'delete': {
      const sequences = Array.from({ length: random.int(1, 3) }, () => random.int(1, last));
      const deleted: number[] = [];
      for (const sequence of new Set(sequences)) {
        const isDone = await manager.streams.deleteMessage(EVENT_STREAM, sequence).catch(ignoreErased);
        if (isDone) deleted.push(sequence);
      }
      // What a redaction has erased is no damage.
      if (deleted.length === 0) return editStream(kind, connection, random);
      return `deleted ${deleted.join(', ')}`;
    }
    case 'recreate': {
      const kept = await beginningOf(manager, random.int(0, MAX_KEPT));
      const { config } = await manager.streams.info(EVENT_STREAM);
      await manager.streams.delete(EVENT_STREAM);
      await manager.streams.add(config);
      for (const { subject, data, id } of kept) {
        await jetstream(connection).publish(subject, data, { msgID: id });
      }
      return `removed the stream, and created it with its first ${kept.length} messages`;
    }
  }
}

/** Before the first message that is erased. */
const MAX_KEPT = 5;

interface Kept {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly id: string;
}

async function beginningOf(manager: JetStreamManager, count: number): Promise<readonly Kept[]> {
  const kept: Kept[] = [];
  for (let sequence = 1; sequence <= count; sequence++) {
    const message = await manager.streams.getMessage(EVENT_STREAM, { seq: sequence });
    if (!message) throw new Error(`the log has no message ${sequence}`);
    const { subject, data, header } = message;
    kept.push({ subject, data, id: header.get('Nats-Msg-Id') });
  }
  return kept;
}

function ignoreErased(error: unknown): false {
  if (
    error instanceof JetStreamApiError &&
    /no message found|deleted message|sequence \d+ not found/.test(error.message)
  )
    return false;
  throw error;
}

async function blockDirectory(dataDirectory: string): Promise<string> {
  return join(layoutOf(dataDirectory).storeDir, 'jetstream', 'SIGNALBOX', 'streams', EVENT_STREAM, 'msgs');
}
