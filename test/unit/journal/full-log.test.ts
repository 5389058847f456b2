import { describe, expect, it } from 'vitest';
import { minimumStorageBytes } from '../../../src/contracts/messages/storage.ts';
import { isStorageShort, unwritable } from '../../../src/journal/failures.ts';

describe('a log that cannot be written', () => {
  it.each([
    'maximum bytes exceeded',
    'insufficient storage resources available',
    'write x.blk: no space left on device',
  ])('is called full, with the setting to raise, if the server says %j', (reason) => {
    expect(isStorageShort(new Error(reason))).toBe(true);
    expect(unwritable(reason)).toContain('nats.max_file_bytes');
    expect(unwritable(reason)).not.toContain('try again');
  });

  it('is to be tried again if the server is away', () => {
    expect(unwritable('disconnected')).toMatch(/\(disconnected\): try again in a moment$/);
  });
});

describe('the smallest storage', () => {
  it('suits a small machine without remote agents, and has room for the bucket of each', () => {
    expect(minimumStorageBytes(0)).toBe(64 * 1_048_576);
    expect(minimumStorageBytes(2) - minimumStorageBytes(1)).toBe(512 * 1_048_576);
  });
});
