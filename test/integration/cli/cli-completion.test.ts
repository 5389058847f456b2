/** Completion: the hidden command, and the scripts in the installed shells. */
import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CompletedArgument } from '../../../src/cli/arguments.ts';
import { complete } from '../../../src/cli/completion/complete.ts';
import { createProgram, runProgram } from '../../../src/cli/program.ts';
import { functionAgent, PROJECT } from '../../support/engine.ts';
import { Gate, startHttp, TASKS } from '../../support/http/http.ts';
import { builtCli } from '../../support/process/build.ts';
import { runCli, temporaryDirectory } from '../../support/process/cli.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

/** What the hidden command prints for a line: what stands after its last space is not finished. */
async function answer(line: string): Promise<string[]> {
  const terminal = new RecordedTerminal();
  const code = await runProgram(terminal, ['__complete', '--', ...line.split(' ')], {});
  expect({ code, err: terminal.err }).toEqual({ code: 0, err: '' });
  return terminal.out.split('\n').slice(0, -1);
}

/** Only the words. */
async function words(line: string): Promise<string[]> {
  const [kind, ...candidates] = await answer(line);
  expect(kind).toBe('words');
  return candidates.map((each) => each.split('\t', 1)[0] ?? '');
}

const NO_SERVER = 'http://127.0.0.1:9';

describe('completion', () => {
  it('offers commands, except hidden ones', async () => {
    expect(await words('ta')).toEqual(['task']);
    expect(await words('re')).toEqual(['replay', 'rebuild']);
    const all = await words('');
    expect(all).toEqual(expect.arrayContaining(['up', 'task', 'completion', 'help']));
    expect(all.filter((name) => name.startsWith('_'))).toEqual([]);
    expect(await words('help ta')).toEqual(['task']);
  });

  it('offers the commands of a group with their summaries', async () => {
    expect(await answer('task sh')).toEqual(['words', 'show\tshow a task']);
    expect(await words('--debug audit keys ')).toEqual(['show', 'rotate', 'export', 'help']);
    expect(await words('task help sh')).toEqual(['show']);
  });

  it('offers options of the command, and before it those of the program', async () => {
    expect(await words('task ls --st')).toEqual(['--status']);
    expect(await words('task ls --status review --pro')).toEqual(['--project']);
    expect(await words('--d')).toEqual(['--debug']);
    expect(await words('task ls -- --st')).toEqual([]);
  });

  it.each([
    ['completion ', ['bash', 'zsh', 'fish']],
    ['queue pause ', ['agent', 'type']],
    ['token new ann --role ad', ['admin']],
    ['dlq ls --status=f', ['--status=failed']],
    ['task ls --status re', ['review']],
    ['task ls --status review,re', []],
    ['task ls --status=review,bl', ['--status=review,blocked']],
    ['up --log-level s', ['silent']],
    ['driver show cla', ['claude', 'claude-acp']],
  ])('offers fixed values without a running Signalbox: %s', async (line, expected) => {
    expect(await words(line)).toEqual(expected);
  });

  it.each([
    ['up --config ', 'files'],
    ['config check ex', 'files'],
    ['replay check --file=a', 'files'],
    ['audit export --output ', 'files'],
    ['up --data-dir ', 'directories'],
    ['task add Title --description ', 'words'],
    ['task add ', 'words'],
  ])('leaves files and directories to the shell: "%s"', async (line, kind) => {
    expect(await answer(line)).toEqual([kind]);
  });

  it('loads only the named group, and none for the first word', async () => {
    const loaded: (string | null)[] = [];
    const load = (name: string | null): Promise<Command> => {
      loaded.push(name);
      return createProgram(new RecordedTerminal(), [name ?? 'completion']);
    };
    await complete({ names: ['task'], load }, ['ta']);
    await complete({ names: ['task'], load }, ['--debug', 'task', 'ls', '']);
    expect(loaded).toEqual([null, 'task']);
  });

  it('offers values for every task, agent, queue, webhook and driver that a command takes', async () => {
    const plain: string[] = [];
    let completed = 0;
    const visit = (command: Command, path: string): void => {
      for (const operand of command.registeredArguments) {
        if (operand instanceof CompletedArgument || operand.argChoices) completed += 1;
        else plain.push(`${path} ${operand.name()}`.trim());
      }
      for (const each of command.commands) visit(each, `${path} ${each.name()}`);
    };
    visit(await createProgram(new RecordedTerminal(), []), '');
    expect(completed).toBeGreaterThan(20);
    expect(plain.filter((each) => /^(task|attempt|agent|dlq|queue|webhook|driver) /.test(each))).toEqual([
      'task add title',
      'task comment text',
      'task steer text',
      'attempt transcript attempt',
      'attempt logs attempt',
      'attempt kill attempt',
      'attempt extend time',
      'attempt extend attempt',
      'agent revoke rule',
      'webhook redeliver sequences',
      'webhook discard sequences',
    ]);
  });
});

describe('completion of values of a running Signalbox', () => {
  it('offers its agents, and the tasks with the statuses that the command accepts', async () => {
    const gate = new Gate();
    await using http = await startHttp({ agents: [functionAgent('worker', gate.handler)] });
    await http.working('run-1');
    expect(
      (await http.post(TASKS, { id: 'run-2', title: 'Odd\u001b[31m\ttitle', agent: 'worker' })).status,
    ).toBe(201);
    const at = `--url ${http.url}`;
    expect(await words(`agent show ${at} w`)).toEqual(['worker']);
    expect(await words(`task ls ${at} --agent=wo`)).toEqual(['--agent=worker']);
    expect(await answer(`task show ${at} --project=${PROJECT} run-2`)).toEqual([
      'words',
      'run-2\tpending: Odd\u241b[31m title',
    ]);
    expect(await words(`task cancel ${at} --project ${PROJECT} run`)).toEqual(['run-1', 'run-2']);
    expect(await words(`task approve ${at} --project ${PROJECT} `)).toEqual([]);
    expect(await words(`task cancel ${at} `)).toEqual([]);
    expect(await words(`task cancel ${at} --project ${PROJECT} run-1 `)).toEqual(['run-1', 'run-2']);
    expect(await answer(`queue pause ${at} agent `)).toEqual(['words', 'worker\t1 pending']);
    expect(await words(`queue pause ${at} type `)).toEqual([]);
    expect(await words(`queue resume ${at} agent `)).toEqual([]);
    vi.stubEnv('SIGNALBOX_URL', http.url);
    vi.stubEnv('SIGNALBOX_PROJECT', PROJECT);
    expect(await words('attempt kill run-')).toEqual(['run-1', 'run-2']);
    expect(await words('events tail --task run-')).toEqual(['run-1', 'run-2']);
    vi.unstubAllEnvs();
  });

  it('offers nothing, without an error, if it cannot be reached or a token is missing', async () => {
    expect(await answer(`task show --url ${NO_SERVER} `)).toEqual([]);
    expect(await answer('task show --url nonsense ')).toEqual([]);
    expect(await answer(`task show --url ${NO_SERVER} --token-file /nowhere/at/all `)).toEqual([]);
  });

  it('offers nothing if the server does not answer in time, and only valid ids if it does', async () => {
    let isSlow = false;
    const server = createServer((_request, response) => {
      const agents = [
        { id: 'fine', state: 'idle' },
        { id: '$(reboot)', state: 'idle' },
      ];
      if (!isSlow) response.setHeader('content-type', 'application/json').end(JSON.stringify({ agents }));
    });
    try {
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const at = `--url http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect(await words(`agent show ${at} `)).toEqual(['fine']);
      isSlow = true;
      const started = performance.now();
      expect(await answer(`agent show ${at} `)).toEqual([]);
      expect(performance.now() - started).toBeLessThan(5_000);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

const isInstalled = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

describe('the completion scripts', () => {
  let directory: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    const main = await builtCli();
    directory = await temporaryDirectory();
    const program = join(directory, 'bin', 'signalbox');
    await mkdir(join(directory, 'bin'));
    await mkdir(join(directory, 'data'));
    await writeFile(join(directory, 'data.yaml'), '');
    await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 });
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, out } = await runCli(['completion', shell]);
      expect(code).toBe(0);
      await writeFile(join(directory, shell), out);
    }
    env = {
      PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
      HOME: directory,
      SIGNALBOX_URL: NO_SERVER,
    };
  });
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  async function inShell(shell: string, script: string): Promise<string[]> {
    const { stdout } = await execa(shell, ['-c', script], { cwd: directory, env, extendEnv: false });
    return stdout.split('\n').filter((line) => line !== '');
  }

  /** As bash calls it: the words as it splits them, the last one at the cursor. */
  const inBash = (...line: string[]): Promise<string[]> =>
    inShell(
      'bash',
      `source ./bash; complete -p signalbox | grep -q -- '-F _signalbox ' || exit 1
      COMP_WORDS=(signalbox ${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${line.length}
      _signalbox signalbox '${line.at(-1)}' ''; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );

  it('bash: words, values after "=", files and directories', async () => {
    expect(await inBash('ta')).toEqual(['task']);
    expect(await inBash('task', 'ls', '--sta')).toEqual(['--status']);
    expect(await inBash('task', 'ls', '--status', '=', 're')).toEqual(['review']);
    expect(await inBash('task', 'ls', '--json', '--status', '=')).toContain('working');
    expect(await inBash('dlq', 'ls', '--status', '=', 'failed', '--ag')).toEqual(['--agent']);
    expect(await inBash('up', '--config', 'da')).toEqual(expect.arrayContaining(['data', 'data.yaml']));
    expect(await inBash('up', '--data-dir', '=', 'da')).toEqual(['data']);
    expect(await inBash('agent', 'show', '')).toEqual([]);
  });

  it.runIf(isInstalled('fish'))('fish: words with descriptions, values after "=", files', async () => {
    const at = (line: string) => inShell('fish', `source ./fish; complete -C '${line}'`);
    expect(await at('signalbox task sh')).toEqual(['show\tshow a task']);
    expect(await at('signalbox dlq ls --status=f')).toEqual(['--status=failed']);
    expect(await at('signalbox up --data-dir=da')).toEqual([expect.stringMatching(/^--data-dir=data\/?/)]);
    expect(await at('signalbox up --config data.y')).toEqual([expect.stringMatching(/^data\.yaml/)]);
    expect(await at('signalbox agent show ')).toEqual([]);
  });

  it.runIf(isInstalled('zsh'))('zsh: words with descriptions, values after "=", files', async () => {
    // Its completion system needs a terminal: what it would be told is printed.
    const at = (...line: string[]) =>
      inShell(
        'zsh',
        `compdef() { :; }; _describe() { print -rl -- "\${(@P)2}"; }; _files() { print -r -- "_files $* $PREFIX"; }
        compset() { PREFIX="\${PREFIX#*=}"; }; source ./zsh
        words=(signalbox ${line.map((word) => `'${word}'`).join(' ')}); CURRENT=$#words; PREFIX='${line.at(-1)}'
        _signalbox`,
      );
    expect(await at('task', 'sh')).toEqual(['show:show a task']);
    expect(await at('dlq', 'ls', '--status=f')).toEqual(['--status=failed']);
    expect(await at('up', '--data-dir=da')).toEqual(['_files -/ da']);
    expect(await at('agent', 'show', '')).toEqual([]);
  });
});
