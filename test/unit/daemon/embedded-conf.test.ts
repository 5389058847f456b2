import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { confFor, quoted, shippedConf } from '../../../src/daemon/embedded/installation.ts';

describe('confFor', () => {
  const conf = 'a: 1\n#>=2.10 b: 2\nc {\n  #>=2.10.5 d: 3 # why\n  # e\n}\n';

  it('enables the settings that the server is new enough for, and keeps every line in its place', () => {
    expect(confFor(conf, '2.10.5')).toBe('a: 1\nb: 2\nc {\n  d: 3 # why\n  # e\n}\n');
    expect(confFor(conf, '2.10.0')).toBe('a: 1\nb: 2\nc {\n  #>=2.10.5 d: 3 # why\n  # e\n}\n');
    expect(confFor(conf, '2.15.1')).toBe(confFor(conf, '2.10.5'));
  });

  it('changes nothing for an older server', () => {
    expect(confFor(conf, '2.9.10')).toBe(conf);
  });

  it('gives the shipped nats.conf its sync_interval from 2.10 on', async () => {
    const shipped = await readFile(shippedConf(), 'utf8');
    const setting = /^ *sync_interval:/m;
    expect(confFor(shipped, '2.9.10')).not.toMatch(setting);
    expect(confFor(shipped, '2.10.27')).toMatch(setting);
  });
});

describe('quoted', () => {
  it.each([
    ['1e5', '"1e5"'],
    ['a "b" \\c', '"a \\"b\\" \\\\c"'],
    ['new\nline', '"new\\x0aline"'],
    ["it's $HOME", '"it\'s $HOME"'],
  ])('writes %j as a string of the configuration language', (text, expected) => {
    expect(quoted(text)).toBe(expected);
  });
});
