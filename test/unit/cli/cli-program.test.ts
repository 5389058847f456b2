import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assertSupportedPlatform } from '../../../src/cli/platform.ts';
import { createProgram, runProgram } from '../../../src/cli/program.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = new RecordedTerminal();
  const code = await runProgram(terminal, args, {});
  return { code, out: terminal.out, err: terminal.err };
}

const TASK_COMMANDS = 'add ls show watch cancel approve reject block unblock retry comment'.split(' ');
const COMMANDS = [
  ...['up', 'demo', 'doctor', 'config', 'config check', 'completion', 'task'],
  ...TASK_COMMANDS.map((name) => `task ${name}`),
];

describe('the command line', () => {
  it.each(['', ...COMMANDS])(
    '"signalbox %s" has a help with examples and a reference to the exit codes',
    async (command) => {
      const { code, out, err } = await run(...command.split(' ').filter(Boolean), '--help');
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(new RegExp(`^Usage: signalbox ${command}`));
      expect(out).toMatch(
        /\nExamples:\n[\s\S]+\$ signalbox [\s\S]+\nExit codes: "signalbox help exit-codes"\n/,
      );
    },
  );

  it('reads a diff from a regular file of a bounded size only, and waits for no other program', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-ask-'));
    try {
      const [fifo, large] = [join(directory, 'fifo'), join(directory, 'large')];
      execFileSync('mkfifo', [fifo]);
      await writeFile(large, '');
      await truncate(large, 1_000_000_000);
      for (const [file, why] of [
        [fifo, 'is not a regular file'],
        ['/dev/zero', 'is not a regular file'],
        [large, 'has more than 262144 bytes'],
        [join(directory, 'none'), 'there is no such file'],
      ] as const) {
        const { code, err } = await run('ask', 'May I?', '--task', 't', '--diff-file', file);
        expect(code).not.toBe(0);
        expect(err).toContain(`--diff-file ${file} cannot be read: `);
        expect(err).toContain(why);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('explains exit codes as a topic of the help', async () => {
    const { code, out } = await run('help', 'exit-codes');
    expect(code).toBe(0);
    expect(out).toMatch(/\n {2}0 {4}success\n {2}1 {4}failure/);
  });

  it('loads the command that is named and no other, and all commands if none is named', async () => {
    const load = async (...args: string[]): Promise<string[]> => {
      const { commands } = await createProgram(new RecordedTerminal(), args);
      return commands.map((command) => command.name());
    };
    const all = await load('--help');
    expect(new Set(all).size).toBeGreaterThan(20);
    for (const name of all) expect(await load('--debug', name, '--help')).toEqual([name]);
    expect(await load('help', 'task')).toEqual(all);
  });

  it.each([
    [['tsak'], /^signalbox: unknown command 'tsak'\n\(Did you mean "signalbox task"\?\)/],
    [['ls'], /Did you mean .*"signalbox task ls"/],
    [['status'], /Did you mean "signalbox task ls" or "signalbox agent ls"/],
    [['task', 'lst'], /^signalbox: unknown command 'lst'/],
    [['task', 'ls', '--jsno'], /^signalbox: unknown option '--jsno'\n\(Did you mean --json\?\)/],
    [['task', 'show'], /^signalbox: missing required argument 'id'/],
    [['task', 'show', 'a', 'b'], /^signalbox: too many arguments/],
    [['task', 'reject', 'a'], /^signalbox: required option '--comment <text>' not specified/],
    [
      ['task', 'add', 'x', '--params', '{'],
      /^signalbox: option '--params <json>' .*It is refused: not JSON: /,
    ],
    [['task', 'add', 'x', '--params', '[1]'], /Expected a JSON object/],
    [['task', 'add', 'x', '--params', '{"a":[{"b":1,"b":2}]}'], /refused: a\[0\]\.b: the key is there twice/],
    [
      ['task', 'add', 'x', '--params', '{"a":"\\ud800"}'],
      /refused: a: the text has half of a surrogate pair/,
    ],
    [['question', 'answer', 'q', '--content', '{"a":1,"\\u0061":2}'], /refused: a: the key is there twice/],
    [['task', 'add', 'x', '--label', 'x'], /Expected NAME=VALUE/],
    [['task', 'add', 'x', '--label', 'x=1', '--label', 'x=2'], /The label x is given twice/],
    ...['0x10', '1e1', ' 5', '+5', '5.0', ''].flatMap((number): [string[], RegExp][] => [
      [['task', 'ls', '--limit', number], /Expected a whole number, in digits/],
      [['attempt', 'logs', 'a', number], /Expected a whole number, in digits/],
    ]),
    [['budget', 'raise', 'daily', '--tokens', '1e3'], /Expected a number above 0/],
    [['task', 'add', 'x', '--delay', 'soon'], /Expected a time such as 90/],
    [
      ['task', 'add', 'x', '--file', '/nowhere/at/all'],
      /^signalbox: --file \/nowhere\/at\/all cannot be read/,
    ],
    [['task', 'ls', '--url', 'ftp://x'], /^signalbox: "ftp:\/\/x" is not an address of Signalbox/],
    [['task', 'ls', '--limit', '0'], /^signalbox: --limit: expected a whole number/],
    [['task', 'show', '../x'], /^signalbox: .*\[invalid_id\]/],
    [['up', '--log-level', 'loud'], /--log-level: expected trace, debug/],
    [[], /^Usage: signalbox/],
  ])('refuses %j with exit code 2, on standard error, without a stack', async (args, message) => {
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
    expect(err).not.toContain('    at ');
  });

  it('prints a stack trace with --debug only', async () => {
    const args = ['task', 'ls', '--url', 'http://127.0.0.1:9'];
    const plain = await run(...args);
    expect(plain.code).toBe(5);
    expect(plain.err).toMatch(/^signalbox: Signalbox cannot be reached at .* \[unreachable\]\n$/);
    expect((await run(...args, '--debug')).err).toContain('    at ');
    const terminal = new RecordedTerminal();
    await runProgram(terminal, args, { SIGNALBOX_DEBUG: '1' });
    expect(terminal.err).toContain('caused by: ');
  });

  it('reports that agents cannot be supervised on Windows', () => {
    expect(() => assertSupportedPlatform('win32')).toThrow(/on Windows: run it on Linux or macOS, .*WSL 2/);
    expect(() => assertSupportedPlatform('darwin')).not.toThrow();
  });
});
