/** What YAML allows and a configuration does not: merged maps, aliases without end, texts that UTF-8 cannot hold. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { SignalboxError } from '../../../src/contracts/errors.ts';

const FILE = 'signalbox.config.yaml';

function linesOf(text: string): string[] {
  try {
    parseConfig(text, FILE);
    return [];
  } catch (error) {
    return error instanceof SignalboxError ? error.message.split('\n') : [String(error)];
  }
}

describe('errors in YAML', () => {
  it.each([
    [
      'agents:\n  a: &a { driver: dry_run }\n  b:\n    <<: *a\n    concurrency: 2\n',
      ':4:5 agents.b: maps are not merged with "<<": write the keys here, or an alias in the place of the whole map',
    ],
    ['agents: &a [*a]', ':1:13 agents[0]: *a is inside its own anchor'],
    [
      'agents: { a: { driver: command, command: ["\\ud800"] } }',
      ':1:43 agents.a.command[0]: the text has half of a surrogate pair (such as "\\ud800"), which UTF-8 cannot hold: send whole characters',
    ],
    [
      '{"agents": {"a": {"driver": "dry_run"}, "\\u0061": {"driver": "dry_run"}}}',
      ':1:41 agents.a: the key exists already, on line 1: keep one of them',
    ],
  ])('have a position: %j', (text, line) => {
    expect(linesOf(text)).toEqual([`${FILE}${line}`]);
  });

  it('do not include an alias of a whole value', () => {
    expect(linesOf('agents:\n  a: &a { driver: dry_run }\n  b: *a\n')).toEqual([]);
  });

  it('include aliases that would fill the memory', () => {
    const nested = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(', ')}]\n`;
    const names = [...'bcdefghij'];
    const text = nested('a', '1') + names.map((name, at) => nested(name, `*${'abcdefghi'[at]}`)).join('');
    const message = 'the aliases up to here repeat more than 1048576 characters: use fewer';
    expect(linesOf(text)).toEqual([`${FILE}:6:32 f[6]: ${message}`]);
    const wide = `x: &x "${'x'.repeat(600_000)}"\ny: [*x, *x]\n`;
    expect(linesOf(wide)).toEqual([`${FILE}:2:9 y[1]: ${message}`]);
  });

  it('include what is nested without end', () => {
    const message = 'nested deeper than 64 levels';
    expect(linesOf(`a: ${'['.repeat(64)}${']'.repeat(64)}`)).toEqual([
      `${FILE}:1:67 a${'[0]'.repeat(63)}: ${message}`,
    ]);
    expect(linesOf('['.repeat(100_000)).map((line) => line.replace(/:\d+:\d+/, ''))).toEqual([
      `${FILE}: ${message}`,
    ]);
    expect(linesOf('a:\n'.repeat(3_000).replaceAll(/a:/g, (_, at) => `${' '.repeat(at / 3)}a:`)).length).toBe(
      1,
    );
  });
});
