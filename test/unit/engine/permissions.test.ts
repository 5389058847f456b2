/** What a rule lets pass, and what it must not. */
import { describe, expect, it } from 'vitest';
import type { PermissionRule, QuestionAbout } from '../../../src/contracts/questions.ts';
import { checkedQuestion } from '../../../src/engine/supervisor/questions/check.ts';
import { inputGlob, rulingOf } from '../../../src/engine/supervisor/questions/permissions.ts';

const EDITS: readonly PermissionRule[] = [
  { tool: 'Edit', input: '/etc/*', decision: 'deny' },
  { tool: 'Edit', input: '/srv/*', decision: 'allow' },
];
const COMMANDS: readonly PermissionRule[] = [
  { tool: 'Bash', input: '*sudo*', decision: 'deny' },
  { tool: 'Bash', input: 'git status*', decision: 'allow' },
];

function decisionOf(
  rules: readonly PermissionRule[],
  about: QuestionAbout,
  byDefault: 'ask' | 'allow' = 'ask',
) {
  return rulingOf({ default: byDefault, rules }, [], about).decision;
}

describe('a rule about paths', () => {
  it.each<[string, QuestionAbout, 'allow' | 'deny' | 'ask']>([
    ['an input', { tool: 'Edit', input: { file_path: '/srv/a' } }, 'allow'],
    ['the path of the question', { tool: 'Edit', path: '/srv/a' }, 'allow'],
    ['both, if they are the same', { tool: 'Edit', input: { filePath: '/srv/a' }, path: '/srv/a' }, 'allow'],
    ['a path with ..', { tool: 'Edit', input: '/srv/../etc/passwd' }, 'deny'],
    ['a path with . and doubled slashes', { tool: 'Edit', path: '//./etc/passwd' }, 'deny'],
    ['another path than the input', { tool: 'Edit', input: '/srv/x', path: '/etc/passwd' }, 'deny'],
    ['another name of the field', { tool: 'Edit', input: { path: '/srv/x', filePath: '/etc/p' } }, 'deny'],
    ['one of several paths', { tool: 'Edit', input: { paths: ['/srv/x', '/etc/passwd'] } }, 'deny'],
    ['a second path elsewhere', { tool: 'Edit', input: { path: '/srv/x', file_path: '/home/x' } }, 'ask'],
  ])('is compared with %s', (_, about, expected) => {
    expect(decisionOf(EDITS, about)).toBe(expected);
    if (expected === 'deny') expect(decisionOf(EDITS.slice(0, 1), about, 'allow')).toBe('deny');
  });
});

describe('a rule about commands', () => {
  it.each<[string, unknown, 'allow' | 'deny' | 'ask']>([
    ['the command', { command: 'git status --short', description: 'Shows the state' }, 'allow'],
    ['one that goes on', { command: 'git status; rm -rf /' }, 'ask'],
    ['a list', { command: ['sudo', 'x'], path: 'a' }, 'deny'],
    ['an object', { command: { run: 'sudo x' } }, 'deny'],
    ['what turns a protection off', { command: 'git status', dangerouslyDisableSandbox: true }, 'ask'],
  ])('is compared with %s', (_, input, expected) => {
    expect(decisionOf(COMMANDS, { tool: 'Bash', input })).toBe(expected);
  });
});

describe('a rule that an answer records', () => {
  it('is for the path that was asked for', () => {
    expect(inputGlob({ tool: 'Edit', path: '/srv/readme' })).toBe('/srv/readme');
    expect(inputGlob({ tool: 'Edit', input: { file_path: '/srv/a' }, path: '/srv/a' })).toBe('/srv/a');
  });

  it('is not made if nothing or too much was named', () => {
    expect(inputGlob({ tool: 'Edit' })).toBeUndefined();
    expect(inputGlob({ tool: 'Edit', path: '/srv/../etc/x' })).toBeUndefined();
    expect(inputGlob({ tool: 'Bash', input: { command: 'a', path: 'b' } })).toBeUndefined();
  });
});

describe('a permission that an agent asks for', () => {
  const permission = { kind: 'permission', message: 'May it?' } as const;

  it.each(['allow_once', 'allow_always'])('has no default that gives it: %s', (option) => {
    expect(() => checkedQuestion({ ...permission, default: { option } })).toThrow(
      'a permission that expires is not given',
    );
  });

  it('may expire with an option that rejects', () => {
    expect(checkedQuestion({ ...permission, default: { option: 'reject_once' } }).default).toEqual({
      option: 'reject_once',
    });
  });

  it.each([
    ['reject', 'allow_once'],
    ['allow', 'reject_once'],
    ['No', 'allow_always'],
  ] as const)('has no option %s of the kind %s', (id, kind) => {
    const options = [{ id, label: 'x', kind }];
    expect(() => checkedQuestion({ ...permission, options })).toThrow('says the opposite of its kind');
  });
});
