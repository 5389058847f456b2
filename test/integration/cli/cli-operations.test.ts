/** The commands for agents, attempts and dead letters, against a real server. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { processLines } from '../../../src/cli/commands/ps.ts';
import { runProgram } from '../../../src/cli/program.ts';
import type { AttemptProcesses } from '../../../src/contracts/api/answers.ts';
import { functionAgent, PROJECT } from '../../support/engine.ts';
import { Gate, startHttp, TASKS, type TestHttp } from '../../support/http/http.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

const COMMANDS = [
  'task why',
  ...['', ' ls', ' show', ' pause', ' drain', ' resume'].map((name) => `agent${name}`),
  ...['', ' ls', ' logs', ' kill'].map((name) => `attempt${name}`),
  ...['', ' ls', ' redrive'].map((name) => `dlq${name}`),
  ...['', ' ls', ' pause', ' resume'].map((name) => `queue${name}`),
  'ps',
];

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param columns a width makes it a terminal that a person is looking at */
async function run(http: TestHttp | null, line: string, columns?: number): Promise<Result> {
  const terminal = new RecordedTerminal(columns);
  const args = line.split(' ');
  const address = http === null ? [] : ['--url', http.url];
  const code = await runProgram(terminal, [...args, ...address], {});
  return { code, out: terminal.out, err: terminal.err };
}

const start = (gate = new Gate()) =>
  startHttp({
    agents: [
      functionAgent('worker', gate.handler, { capabilities: ['review'] }),
      functionAgent('broken', () => {
        throw new Error('broke');
      }),
    ],
  });

const DEMO = `--project ${PROJECT}`;

describe('the commands of an operator', () => {
  it.each(COMMANDS)('"signalbox %s" has a help with examples and exit codes', async (command) => {
    const { code, out } = await run(null, `${command} --help`);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^Usage: signalbox ${command}`));
    expect(out).toMatch(
      /\nExamples:\n[\s\S]+\$ signalbox [\s\S]+\nExit codes: "signalbox help exit-codes"\n/,
    );
  });

  it('agent: ls, show, pause, drain, resume', async () => {
    await using http = await start();
    await http.working('a');
    expect((await run(http, 'agent ls')).out).toMatch(/^worker +busy +1\/1 +\d+s +0 +function +review$/m);
    const paused = await run(http, 'agent pause worker --by ann --comment holiday');
    expect(paused).toEqual({
      code: 0,
      err: '',
      out: 'agent worker is now paused, 1 of 1 slots used\n',
    });
    expect((await run(http, 'agent ls')).out).toMatch(/^worker +paused .*holiday, by ann$/m);
    const shown = (await run(http, 'agent show worker')).out;
    expect(shown).toMatch(/^agent worker is paused, for \d+s$/m);
    expect(shown).toContain('  demo/a, attempt 1: running');
    expect((await run(http, 'agent pause worker')).code).toBe(4);
    expect((await run(http, 'agent drain worker')).out).toContain('is now draining');
    expect((await run(http, 'agent resume worker')).out).toContain('is now busy');
    expect((await run(http, 'agent show absent')).code).toBe(3);
    expect(JSON.parse((await run(http, 'agent ls --json')).out)).toMatchObject([{ id: 'worker' }, {}]);
  });

  it('task why: the reasons, the position in the queue, and the next step', async () => {
    await using http = await start();
    await http.working('a');
    await http.post(TASKS, { id: 'b', title: 'x', agent: 'worker' });
    await http.post(TASKS, { id: 'c', title: 'x', agent: 'worker' });
    expect((await run(http, `task why c ${DEMO}`)).out.split('\n')).toEqual([
      'task c is pending',
      'because agent worker is busy with 1 of 1 attempts',
      '        1 task goes first, by priority and age',
      'queue   2 of 2',
      'next    agent worker takes it when it has a free slot and the task is next',
      '',
    ]);
    expect(JSON.parse((await run(http, `task why c ${DEMO} --json`)).out).status).toBe('pending');
    expect((await run(http, `task why x ${DEMO}`)).code).toBe(3);
  });

  it('dlq: ls, and redrive by name or all, with a dry run', async () => {
    await using http = await start();
    for (const id of ['a', 'b']) {
      await http.post(TASKS, { id, title: `task ${id}`, agent: 'broken', max_attempts: 1 });
      await http.test.until(id, ({ state }) => state === 'failed');
    }
    expect((await run(http, `dlq ls ${DEMO}`)).out).toMatch(/^a +failed +broken +1 +\d+s +task a +broke$/m);
    const dry = await run(http, `dlq redrive --all --dry-run ${DEMO}`);
    expect(dry).toMatchObject({ code: 0, err: '2 tasks would be redriven\n' });
    expect(dry.out).toMatch(/^b +demo +failed +1 +task b +broke$/m);
    const wet = await run(http, `dlq redrive a nothing ${DEMO} --comment again`);
    expect(wet.code).toBe(1);
    expect(wet.err).toContain('nothing is unchanged: project demo has no task nothing');
    await http.test.until('a', ({ attempts, state }) => attempts === 2 && state === 'failed');
    for (const line of ['dlq redrive', 'dlq redrive a --all', 'dlq redrive a --all-projects']) {
      expect(await run(http, line)).toMatchObject({ code: 2, out: '' });
    }
    const all = JSON.parse((await run(http, 'dlq redrive --all --all-projects --dry-run --json')).out);
    expect(all).toMatchObject({ dry_run: true, redriven: [{ id: 'a' }, { id: 'b' }], errors: [] });
    expect((await run(http, 'dlq ls --project empty')).err).toBe(
      'no dead letters in project empty (--all-projects lists all)\n',
    );
  });

  it('attempt: ls, logs, extend, kill; control characters of the output do not reach a terminal', async () => {
    await using http = await start();
    await http.working('a');
    expect((await run(http, `attempt ls a ${DEMO}`)).out).toMatch(/^1 +worker +running/m);
    const directory = join(http.test.app.settings.directories.attempts, PROJECT, 'a', '1', 'process');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'stdout.log'), '\u001b[31mred\u0007\n');
    await writeFile(join(directory, 'stderr.log'), 'oh\n');
    expect((await run(http, `attempt logs a ${DEMO}`)).out).toBe('\u001b[31mred\u0007\n');
    expect((await run(http, `attempt logs a ${DEMO}`, 80)).out).toBe('␛[31mred␇\n');
    expect((await run(http, `attempt logs a 1 --stderr ${DEMO}`)).out).toBe('oh\n');
    const followed = run(http, `attempt logs a -f ${DEMO}`);

    const extended = await run(http, `attempt extend a 10m ${DEMO} --by ann`);
    expect(extended.out).toMatch(/^attempt 1 of task a by agent worker has time until 20\S+Z\n$/);
    expect((await run(http, `attempt extend a soon ${DEMO}`)).code).toBe(2);
    const killed = await run(http, `attempt kill a ${DEMO} --by ann`);
    expect(killed.out).toBe('attempt 1 of task a by agent worker is stopping\n');
    await http.test.until('a', ({ lastOutcome }) => lastOutcome === 'killed');
    expect(await followed).toMatchObject({ code: 0, out: '\u001b[31mred\u0007\n' });
    expect((await run(http, `attempt kill a 1 ${DEMO}`)).code).toBe(4);
    expect((await run(http, `attempt logs a 9 ${DEMO}`)).code).toBe(3);
  });

  it('ps: lists open attempts, and says so if there are none', async () => {
    await using http = await start();
    expect(await run(http, 'ps')).toEqual({ code: 0, out: '', err: 'no open attempts\n' });
    await http.working('a');
    expect((await run(http, 'ps')).out).toMatch(
      /^demo\/a, attempt 1 by worker: running on .*, without processes/,
    );
  });
});

describe('the tree of processes', () => {
  const attempt: AttemptProcesses = {
    project: 'demo',
    task: 'a',
    attempt: 1,
    agent: 'worker',
    status: 'running',
    driver: 'command',
    host: 'here',
    pid: 11,
    started_at: null,
    deadline: null,
    processes: [],
  };
  const entry = (pid: number, parent_pid: number, command: string) => ({
    pid,
    parent_pid,
    state: 'S',
    command,
    cpu_ms: 20,
    age_ms: 61_000,
  });
  const terminal = { columns: Number.POSITIVE_INFINITY, style: (_: unknown, text: string) => text };

  it('shows each process below its parent, and one that left its parent at the top', () => {
    const processes = [
      entry(10, 1, 'sh launcher'),
      entry(11, 10, 'sh'),
      entry(13, 1, 'stray'),
      entry(12, 11, 'a\nb'),
    ];
    const lines = processLines(terminal, { ...attempt, processes });
    expect(lines.slice(1)).toEqual([
      '      PID  S  CPU       AGE       COMMAND',
      '       10  S  20 ms     1 m 1 s   sh launcher',
      '       11  S  20 ms     1 m 1 s     sh',
      '       12  S  20 ms     1 m 1 s       a b',
      '       13  S  20 ms     1 m 1 s   stray',
    ]);
  });

  it('says if there are no processes to show', () => {
    expect(processLines(terminal, attempt)).toEqual([
      'demo/a, attempt 1 by worker: running on here, no process of it is found',
    ]);
    expect(processLines(terminal, { ...attempt, processes: null })[0]).toContain(
      'without processes of its own',
    );
  });
});
