/** Edits of a stored log, as a careless operator, a failing disk or an attacker makes them. */
import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { EVENT_STREAM } from '../../../src/contracts/messages/subjects.ts';
import { layoutOf } from '../../../src/daemon/embedded/layout.ts';
import type { Random } from '../simulation/random.ts';

export const FILE_EDITS = ['flip', 'truncate', 'swap', 'remove'] as const;
export const API_EDITS = ['purge', 'delete'] as const;
export type EditKind = (typeof FILE_EDITS)[number] | (typeof API_EDITS)[number];

export function isFileEdit(kind: EditKind): kind is (typeof FILE_EDITS)[number] {
  return FILE_EDITS.some((each) => each === kind);
}

/** Edits the files of the server's store. @returns what was done */
export async function editFiles(
  kind: (typeof FILE_EDITS)[number],
  dataDirectory: string,
  random: Random,
): Promise<string> {
  const directory = await blockDirectory(dataDirectory);
  const blocks = (await readdir(directory)).filter((name) => name.endsWith('.blk')).sort();
  const block = join(directory, random.pick(blocks));
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

/** Edits the stream through the server. @returns what was done */
export async function editStream(
  kind: (typeof API_EDITS)[number],
  connection: NatsConnection,
  random: Random,
): Promise<string> {
  const manager: JetStreamManager = await jetstreamManager(connection);
  const { last_seq: last } = (await manager.streams.info(EVENT_STREAM)).state;
  switch (kind) {
    case 'purge': {
      const keep = random.pick([0, 10, last - 10, random.int(1, last - 10)]);
      await manager.streams.purge(EVENT_STREAM, keep === 0 ? undefined : { keep });
      return `purged, keeping ${keep} of ${last}`;
    }
    case 'delete': {
      const sequences = Array.from({ length: random.int(1, 3) }, () => random.int(1, last));
      for (const sequence of new Set(sequences)) await manager.streams.deleteMessage(EVENT_STREAM, sequence);
      return `deleted ${sequences.join(', ')}`;
    }
  }
}

async function blockDirectory(dataDirectory: string): Promise<string> {
  return join(layoutOf(dataDirectory).storeDir, 'jetstream', 'SIGNALBOX', 'streams', EVENT_STREAM, 'msgs');
}
