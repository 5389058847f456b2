import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { ProcessChannel } from '../../../src/process/channel/channel.ts';
import { AttemptDirectory } from '../../../src/process/files/attempt-directory.ts';

describe('a channel', () => {
  it('is finished in bounded time if its output has no end', async () => {
    const path = mkdtempSync(join(tmpdir(), 'signalbox-channel-'));
    const directory = new AttemptDirectory(path);
    execFileSync('mkfifo', [join(path, 'in')]);
    writeFileSync(directory.stdout, 'x\n');
    const channel = new ProcessChannel(directory, pino({ level: 'silent' }));
    let pieces = 0;
    channel.read({
      receive: () => {
        pieces += 1;
        appendFileSync(directory.stdout, 'y\n');
      },
      caughtUp: () => {},
    });
    for (const end = performance.now() + 20_000; pieces < 2 && performance.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 5));
    await channel.finish(100);
    const seen = pieces;
    expect(seen).toBeGreaterThan(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pieces).toBe(seen);
    rmSync(path, { recursive: true, force: true });
  });
});
