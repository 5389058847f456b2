import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCredentials } from '../../../src/daemon/embedded/layout.ts';

describe('credentials of the embedded server', () => {
  it.each(['', 'garbage{', '{"user":1}', 'null', '[]', '{"user":"signalbox"}'])(
    'are refused in one line with what to do, and are not quoted, if the file holds %j',
    async (text) => {
      const directory = await mkdtemp(join(tmpdir(), 'signalbox-credentials-'));
      try {
        const file = join(directory, 'credentials.json');
        await writeFile(file, text);
        const refused = loadCredentials(file);
        await expect(refused).rejects.toMatchObject({
          code: 'nats_unavailable',
          message: expect.stringMatching(
            /^[^\n]*it is not JSON[^\n]*delete it while Signalbox is stopped[^\n]*$/,
          ),
        });
        await expect(refused).rejects.not.toThrow(/garbage/);
      } finally {
        await rm(directory, { recursive: true });
      }
    },
  );
});
