import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  AGENTS,
  agentEnvironment,
  Board,
  Directory,
  EXAMPLES,
  run,
  TOKEN,
} from '../../support/process/example-agents.ts';

describe('examples/README.md', () => {
  it('word-count.sh, a plain command, prints its result and ends with 0', async () => {
    await using directory = await Directory.create({ 'a.txt': 'Signal box, signal box.\nSignals pass.\n' });
    const { code, stdout } = await run(
      [join(AGENTS, 'word-count.sh'), 'a.txt'],
      { PATH: process.env.PATH },
      directory.path,
    );
    expect(code).toBe(0);
    expect(stdout).toBe(
      'a.txt: 2 lines, 6 words. The most frequent:\n  signal: 2\n  pass: 1\n  signals: 1\n',
    );
  });

  it('try.mjs runs an agent by hand, and again after a failure', async () => {
    const command = [process.execPath, join(AGENTS, 'lib', 'try.mjs'), join(AGENTS, 'flaky-then-learns.mjs')];
    const { code, stdout } = await run(command, { PATH: process.env.PATH });
    expect(code).toBe(0);
    expect(stdout).toContain('attempt 1 ended with exit code 1');
    expect(stdout).toContain('line 113: Unterminated string');
    expect(stdout).toContain('attempt 2 ended with exit code 0');
  });

  it('the shell agent of the README works unchanged', async () => {
    await using directory = await Directory.create({
      'agent.sh': await readmeBlock('sh', '#!/bin/sh'),
      'work/big': 'x'.repeat(9000),
    });
    await using board = await Board.open({
      answer: (_, index) => (index === 0 ? { status: 503 } : undefined),
    });
    const { code, stdout } = await run(
      ['sh', '../agent.sh'],
      agentEnvironment(board.port),
      join(directory.path, 'work'),
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(board.messages).toEqual(['status working', 'status working', 'outputs document', 'status review']);
    expect(new Set(board.calls.map((call) => call.authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
  });

  it('the Node.js agent of the README works unchanged', async () => {
    const agent = await readmeBlock('js', '// dependencies.mjs');
    await using directory = await Directory.create({
      'dependencies.mjs': agent,
      'package.json': '{"dependencies": {"a": "^1"}}',
    });
    await cp(join(AGENTS, 'lib'), join(directory.path, 'lib'), { recursive: true });
    await using board = await Board.open();
    const { code } = await run(
      [process.execPath, 'dependencies.mjs'],
      agentEnvironment(board.port),
      directory.path,
    );
    expect(code).toBe(0);
    expect(board.posted('outputs')[0].content).toBe('- a ^1');
  });

  async function readmeBlock(language: string, start: string): Promise<string> {
    const readme = await readFile(join(EXAMPLES, 'README.md'), 'utf8');
    const blocks = Array.from(readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm));
    const block = blocks.find(([, name, code]) => name === language && code?.startsWith(start));
    return block?.[2] ?? '';
  }
});
