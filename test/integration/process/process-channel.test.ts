import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Channel, ManagedProcess } from '../../../src/process/runner.ts';
import { ProcessLab, until } from './process-harness.ts';

const lab = new ProcessLab();
afterAll(() => lab.dispose());

const ECHO = ['sh', '-c', 'while IFS= read -r line; do printf "got %s\\n" "$line"; done'];

function channelOf({ channel }: ManagedProcess): Channel {
  if (channel === undefined) throw new Error('it has no channel');
  return channel;
}

function follow(channel: Channel): () => string {
  let text = '';
  channel.read({
    receive: (piece) => {
      text += piece.toString();
    },
    caughtUp: () => {},
  });
  return () => text;
}

describe('a process whose input stays open', () => {
  it('gets the file first, then messages, also from the next supervisor, and sees no end between them', async () => {
    const first = 'x'.repeat(300_000);
    const stdin = join(lab.base, 'first');
    writeFileSync(stdin, `${first}\n`);
    const spec = lab.spec(ECHO, { stdin, inputStays: true });
    const process = await lab.runner.spawn(spec);
    const seen = follow(channelOf(process));
    expect(await channelOf(process).send('one', 'hello')).toBe('sent');
    await until('both came back', () => seen().endsWith('got hello\n'));
    expect(seen()).toBe(`got ${first}\ngot hello\n`);

    lab.restart();
    const adoption = await lab.runner.adopt(spec.directory, spec.marker);
    if (adoption.kind !== 'running') throw new Error(`it is ${adoption.kind}`);
    const channel = channelOf(adoption.process);
    const again = follow(channel);
    expect(await channel.send('one', 'hello')).toBe('known');
    expect(await channel.send('two', 'world')).toBe('sent');
    await until('the answer is there', () => again().endsWith('got world\n'));
    expect(again()).toBe(`got ${first}\ngot hello\ngot world\n`);
    expect((await adoption.process.kill({ graceMs: 500 })).survivors).toBe(0);
  });

  it('leaves nothing behind if it ends without reading its input', async () => {
    const stdin = join(lab.base, 'unread');
    writeFileSync(stdin, 'x'.repeat(1_000_000));
    const process = await lab.spawn(['sh', '-c', 'echo done; exit 3'], { stdin, inputStays: true });
    const seen = follow(channelOf(process));
    expect((await process.exited).exit).toEqual({ kind: 'exited', code: 3 });
    expect(seen()).toBe('done\n');
    expect((await process.kill({ graceMs: 500 })).survivors).toBe(0);
  });

  it('is read without a gap while its output is cut, and to its end', async () => {
    // Slowly enough for a reader on a busy machine: what is cut before it is read is lost.
    const count = 9_000;
    const script = `i=0; while [ $i -lt ${count} ]; do i=$((i + 1)); echo "line $i"; [ $((i % 1000)) = 0 ] && sleep 0.5; done`;
    const process = await lab.spawn(['sh', '-c', script], { inputStays: true, maxOutputBytes: 20_000 });
    const seen = follow(channelOf(process));
    const { stdoutBytes } = await process.exited;
    const lines = seen().split('\n').filter(Boolean);
    expect(lines).toEqual(Array.from({ length: count }, (_, index) => `line ${index + 1}`));
    expect(stdoutBytes).toBe(seen().length);
  });
});
