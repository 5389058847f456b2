/**
 * Which Signalbox has the data directory: written down there as long as it runs, for who has to know without asking
 * NATS. It keeps nobody out; that is what the lease and the journal do.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readIfExists } from '../base/files.ts';
import type { LeaseHolder } from '../journal/lease.ts';
import type { Host } from '../process/host/host.ts';
import { replaceFile } from './embedded/files.ts';
import { fateOf } from './lease-holder.ts';

const FILE = 'occupant.json';

const holderSchema = z.object({
  writer: z.string(),
  host: z.string(),
  pid: z.int(),
  startTime: z.string(),
  bootId: z.string(),
  since: z.string(),
});

export type Occupant =
  | { readonly kind: 'none' }
  | { readonly kind: 'alive'; readonly holder: LeaseHolder }
  /** It may run: on another machine, or the file cannot be understood. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** To be called by who has the lease. @returns what takes the note away again */
export async function occupy(dataDirectory: string, holder: LeaseHolder): Promise<() => Promise<void>> {
  const file = join(dataDirectory, FILE);
  await replaceFile(file, `${JSON.stringify(holder)}\n`);
  return () => rm(file, { force: true });
}

export async function occupantOf(dataDirectory: string, host: Host): Promise<Occupant> {
  const file = join(dataDirectory, FILE);
  const text = await readIfExists(file);
  if (text === null) return { kind: 'none' };
  const holder = parse(text);
  if (holder === undefined) return { kind: 'unknown', reason: `${file} is damaged` };
  const fate = fateOf(host, holder);
  if (fate === 'gone') return { kind: 'none' };
  if (fate === 'alive') return { kind: 'alive', holder };
  return { kind: 'unknown', reason: `process ${holder.pid} of host ${holder.host} may run on it (${file})` };
}

function parse(text: string): LeaseHolder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
