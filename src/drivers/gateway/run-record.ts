/** What a later Signalbox has to know of a run inside a Gateway: written before the Gateway hears of it. */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode, messageOf, SignalboxError } from '../../contracts/errors.ts';

const recordSchema = z.object({
  /** The Gateway's name of the run; null where the Gateway gives it, and has not yet. */
  run: z.string().nullable(),
  session: z.string().nullable(),
  /** Whether the Gateway has said that it took it on. */
  isAccepted: z.boolean(),
});
export type RunRecord = z.output<typeof recordSchema>;

const NAME = 'gateway.json';

/** On disk when it resolves. @throws SignalboxError `spawn_failed` */
export async function writeRecord(directory: string, record: RunRecord): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const draft = join(directory, `${NAME}.new`);
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(record)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, join(directory, NAME));
  } catch (cause) {
    const message = `the attempt's directory cannot be written: ${messageOf(cause)}`;
    throw new SignalboxError('spawn_failed', message, { cause });
  }
}

/** null where there is none: nothing was sent. @throws SignalboxError `internal` for one that cannot be read */
export async function readRecord(directory: string): Promise<RunRecord | null> {
  const path = join(directory, NAME);
  try {
    return recordSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return null;
    throw new SignalboxError('internal', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

export async function removeRecord(directory: string): Promise<void> {
  await rm(join(directory, NAME), { force: true });
}
