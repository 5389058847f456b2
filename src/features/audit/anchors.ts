/** What is known of a log apart from it: what the data directory of its Signalbox has noted. */
import { join } from 'node:path';
import { z } from 'zod';
import { readIfExists } from '../../base/files.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { lastCheckpointFile } from './key-file.ts';

export interface Anchor {
  /** As messages name it. */
  readonly what: string;
  readonly sequence: number;
  /** Of the event with this sequence; one of the two. */
  readonly id?: string | undefined;
  readonly hash?: string | undefined;
}

const noteSchema = z.object({
  sequence: z.int().min(1),
  id: z.string().optional(),
  hash: z.string().optional(),
});

/** The high-water mark and the newest checkpoint, as far as they are there. @throws SignalboxError `invalid_request` */
export async function anchorsIn(dataDirectory: string): Promise<readonly Anchor[]> {
  const mark = await read('the high-water mark', join(dataDirectory, 'high-water-mark.json'));
  const checkpoint = await read('the newest checkpoint', lastCheckpointFile(join(dataDirectory, 'audit')));
  return [...mark, ...checkpoint];
}

async function read(name: string, file: string): Promise<readonly Anchor[]> {
  const text = await readIfExists(file);
  if (text === null) return [];
  try {
    return [{ ...noteSchema.parse(JSON.parse(text)), what: `${name} (${file})` }];
  } catch (cause) {
    throw new SignalboxError('invalid_request', `${file} cannot be understood: ${messageOf(cause)}`, {
      cause,
    });
  }
}
