/** The data directory: whether it can be written, and what its disk has free. It is not made. */
import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../../contracts/errors.ts';
import { bytesText } from '../text/time.ts';
import { type Check, type Finding, fail, ok, warn } from './finding.ts';

const LITTLE_BYTES = 1_000_000_000;
const TOO_LITTLE_BYTES = 50_000_000;

export const checkData: Check = async ({ config }) => {
  const path = config.data_dir;
  try {
    const place = await nearest(path);
    await access(place, constants.W_OK | constants.X_OK);
    const note = place === path ? '' : ' (will be made)';
    return [ok('data directory', `${path}${note}`), await checkSpace(place)];
  } catch (error) {
    const advice =
      'make it writable for this user, or name another one with --data-dir or SIGNALBOX_DATA_DIR';
    return [fail('data directory', `${path} cannot be used: ${messageOf(error)}`, advice)];
  }
};

/** The directory itself, or the one above it that would hold it. */
async function nearest(path: string): Promise<string> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (info === null) return nearest(dirname(path));
  if (!info.isDirectory()) throw new Error(`${path} is not a directory`);
  return path;
}

async function checkSpace(path: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const detail = `${bytesText(free)} free`;
  const advice = 'make room, or name a data directory on another disk';
  if (free < TOO_LITTLE_BYTES) return fail('disk', detail, advice);
  return free < LITTLE_BYTES ? warn('disk', detail, advice) : ok('disk', detail);
}
