import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../../src/process/host/process-table.ts';
import { markersFor } from '../../../src/process/markers.ts';
import type { ExitReport, SpawnFailure, SpawnSpec } from '../../../src/process/runner.ts';
import { fixture, ProcessLab, textOf, until } from './process-harness.ts';

describe.each([{ through: 'child processes' }, { through: 'the launch shell' }])(
  'spawn through $through',
  ({ through }) => {
    const launchShell = through === 'the launch shell';
    let lab: ProcessLab;

    let ready = true;

    beforeAll(async () => {
      lab = new ProcessLab({ launchShell });
      if (launchShell) ready = await lab.launchShellReady();
    });

    beforeEach(({ skip }) =>
      skip(!ready, 'there is no launch shell: no "setsid -f", or orphans are not reaped'),
    );

    afterAll(() => lab.dispose());

    const run = async (command: readonly string[], overrides: Partial<SpawnSpec> = {}) => {
      const spec = lab.spec(command, overrides);
      const process = await lab.runner.spawn(spec);
      const report = await process.exited;
      const file = (name: string) => readFileSync(join(spec.directory, name), 'utf8');
      return { spec, process, report, file };
    };

    it('captures output and exit code', async () => {
      const { report, file, process } = await run(['sh', '-c', 'echo out; echo err >&2; exit 3']);
      expect(report.exit).toEqual({ kind: 'exited', code: 3 });
      expect(file('stdout.log')).toBe('out\n');
      expect(file('stderr.log')).toBe('err\n');
      expect(report).toMatchObject({ stdoutBytes: 4, stderrBytes: 4 });
      expect(report.endedAt).toBeGreaterThanOrEqual(process.startedAt);
      expect(process.outputBytes()).toMatchObject({ stdout: 4, stderr: 4, lastOutputAt: expect.any(Number) });
    });

    it.each([126, 127, 129, 137, 143, 144, 255])(
      'tells exit code %i from a signal and from a failed spawn',
      async (code) => {
        const { report } = await run(['sh', '-c', `exit ${code}`]);
        expect(report.exit).toEqual({ kind: 'exited', code });
      },
    );

    it.each(['HUP', 'INT', 'QUIT', 'ABRT', 'KILL', 'USR1', 'SEGV', 'PIPE', 'TERM'])(
      'names the signal SIG%s',
      async (name) => {
        const { report } = await run(fixture('ends-by-signal.sh', name));
        expect(report.exit).toEqual({ kind: 'signalled', signal: `SIG${name}` });
      },
    );

    it('reports an error on stderr together with exit code 0', async () => {
      const { report, file } = await run(fixture('fails-quietly.sh'));
      expect(report.exit).toEqual({ kind: 'exited', code: 0 });
      expect(file('stderr.log')).toBe('error: quota exceeded\n');
    });

    it('passes exactly the environment of the spec, and the marker', async () => {
      const env = {
        PATH: '/usr/bin:/bin',
        QUOTED: `it's "$HOME" \\ \`x\``,
        EMPTY: '',
        LINES: 'a\nb\n',
        dir: 'x',
        A1_: '=',
      };
      const { spec, file } = await run(['/usr/bin/env', '-0'], { env });
      const entries = file('stdout.log')
        .split('\0')
        .filter((entry) => entry !== '');
      const expected = Object.entries({ ...env, SIGNALBOX_ATTEMPT_MARKER: markersFor(spec.marker) }).map(
        ([name, value]) => `${name}=${value}`,
      );
      expect(entries.sort()).toEqual(expected.sort());
    });

    it('passes arguments unchanged', async () => {
      const args = ['', ' ', "it's", '$HOME', '`id`', '*', '-n', 'a\nb', '中文', '\\', '"'];
      const { file } = await run(['printf', '%s\\0', ...args]);
      expect(file('stdout.log').split('\0').slice(0, -1)).toEqual(args);
    });

    it('runs in the working directory, with an empty standard input and no descriptor of ours', async () => {
      const cwd = join(lab.base, `a dir's name ${launchShell}`);
      mkdirSync(cwd);
      const { file } = await run(['sh', '-c', 'pwd -P; cat; ls /proc/$$/fd'], { cwd });
      const [where, ...descriptors] = file('stdout.log').trim().split('\n');
      expect(where).toBe(cwd);
      expect(descriptors.filter((descriptor) => Number(descriptor) < 3)).toEqual(['0', '1', '2']);
      expect(descriptors.length).toBeLessThanOrEqual(4); // a shell may keep its script open
    });

    it('feeds 1 MB of standard input from a file', async () => {
      const stdin = join(lab.base, `input-${launchShell}`);
      const input = 'prompt with 中文\n'.repeat(55_000);
      writeFileSync(stdin, input);
      const { spec, report } = await run(['cat'], { stdin, maxOutputBytes: 10_000_000 });
      expect(report.stdoutBytes).toBe(Buffer.byteLength(input));
      expect(readFileSync(join(spec.directory, 'stdout.log'), 'utf8') === input).toBe(true);
    });

    it('accepts a long command line', async () => {
      const long = 'x'.repeat(100_000);
      const { report } = await run(['printf', '%s', long, long, long]);
      expect(report.stdoutBytes).toBe(300_000);
    });

    it('lets the process handle SIGINT and SIGQUIT, which shells tend to ignore', async () => {
      const { file } = await run(['cat', '/proc/self/status']);
      expect(/^SigIgn:\s+0+$/m.test(file('stdout.log'))).toBe(true);
    });

    it('runs it in the session and group of its launcher, not as their leader', async () => {
      const process = await lab.spawn(['sleep', '600']);
      await until('the program sleeps', () => lab.table.lookup(process.identity.pid)?.state === 'S');
      const entry = lab.table.lookup(process.identity.pid);
      expect(entry).toMatchObject({ pgid: process.group, sid: process.group, ppid: process.group });
      expect(process.group).not.toBe(lab.table.lookup(globalThis.process.pid)?.pgid);
      const tree = await process.tree();
      expect(tree.map(({ pid }) => pid)).toEqual([process.group, process.identity.pid]);
      expect(tree[1]).toMatchObject({ parentPid: process.group, state: 'S', command: '/usr/bin/sleep 600' });
      await process.kill({ graceMs: 0 });
    });

    it('makes the directory readable by its owner only, without secrets in it', async () => {
      const { spec } = await run(['true'], { env: { PATH: '/usr/bin:/bin', TOKEN: 'very-secret' } });
      expect(statSync(spec.directory).mode & 0o777).toBe(0o700);
      // The others are the FIFOs of the output: reading them would wait for ever.
      const files = readdirSync(spec.directory, { withFileTypes: true }).filter((entry) => entry.isFile());
      expect(files.length).toBeGreaterThan(5);
      for (const { name } of files) {
        expect(textOf(join(spec.directory, name))).not.toContain('very-secret');
      }
    });

    it('reads the output of a process that closed it and stays', async () => {
      const process = await lab.spawn(fixture('closes-output.sh'));
      await until('its last words are seen', () => process.outputBytes().stdout === 'last words\n'.length);
      await process.kill({ graceMs: 1000 });
      expect((await process.exited).exit).toEqual({ kind: 'signalled', signal: 'SIGTERM' });
    });

    it('measures CPU time and memory of a process that lives long enough', async () => {
      const script =
        'const b = Buffer.alloc(60e6, 1); const end = Date.now() + 1500; while (Date.now() < end); b.at(0)';
      const { report } = await run([globalThis.process.execPath, '-e', script]);
      expect(report.cpuMs).toBeGreaterThan(200);
      expect(report.cpuMs).toBeLessThan(10_000);
      expect(report.peakMemoryBytes).toBeGreaterThan(60e6);
      expect(report.peakMemoryBytes).toBeLessThan(600e6);
    });

    it('continues without its launcher, and its end is reported as lost', async () => {
      const process = await lab.spawn(['sleep', '600']);
      globalThis.process.kill(process.group, 'SIGKILL');
      await until('the launcher is gone', () => (lab.table.lookup(process.group)?.state ?? 'Z') === 'Z');
      const { pid } = process.identity;
      await until('the agent sleeps on', () => lab.table.lookup(pid)?.state === 'S');
      globalThis.process.kill(pid, 'SIGKILL');
      expect((await process.exited).exit.kind).toBe('lost');
    });

    describe('is refused', () => {
      const failure = async (command: readonly string[], overrides: Partial<SpawnSpec> = {}) => {
        const error: unknown = await lab.spawn(command, overrides).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ name: 'SignalboxError', code: 'spawn_failed' });
        const { message, details } = error as Error & { details: { reason: SpawnFailure } };
        return { message, reason: details.reason };
      };
      const script = (name: string, text: string, mode: number) => {
        const path = join(lab.base, `${name}-${launchShell}`);
        writeFileSync(path, text);
        chmodSync(path, mode);
        return path;
      };

      it('if the command is not in PATH', async () => {
        const { reason, message } = await failure(['no-such-command']);
        expect(reason).toBe('command_not_found');
        expect(message).toContain('no-such-command was not found: it is not in PATH=');
      });

      it('if the file of the command does not exist', async () => {
        expect((await failure(['./nowhere/agent'])).reason).toBe('command_not_found');
      });

      it('if the file is not executable', async () => {
        const path = script('plain', 'text', 0o644);
        expect(await failure([path])).toEqual({
          reason: 'not_executable',
          message: expect.stringContaining('chmod +x'),
        });
      });

      it('if the interpreter of a script is missing', async () => {
        const path = script('orphaned', '#!/no/such/interpreter\n', 0o755);
        const { reason, message } = await failure([path]);
        expect(reason).toBe('not_executable');
        expect(message).toContain('the system could not execute');
      });

      it('if the working directory does not exist', async () => {
        expect((await failure(['true'], { cwd: '/no/such/directory' })).reason).toBe('cwd_missing');
      });

      it('if the file for standard input does not exist', async () => {
        expect((await failure(['cat'], { stdin: '/no/such/file' })).reason).toBe('stdin_missing');
      });

      it('if one argument is longer than the system accepts', async () => {
        const { reason, message } = await failure(['true', 'x'.repeat(200_000)]);
        expect(['system', 'not_executable']).toContain(reason);
        expect(message).toMatch(/too long|E2BIG/);
      });

      it.each([
        [{ env: { 'A-B': '1' } }, '"A-B"'],
        [{ env: { IFS: 'x' } }, 'IFS'],
        [{ env: { A: 'a\0b' } }, 'NUL'],
        [{ marker: 'two words' }, 'two words'],
        [{ maxOutputBytes: 0 }, 'maxOutputBytes'],
        [{ cwd: 'relative' }, 'relative'],
      ] as const)('if the spec is not valid: %j', async (overrides, word) => {
        const { reason, message } = await failure(['true'], overrides);
        expect(reason).toBe('invalid_spec');
        expect(message).toContain(word);
      });

      it('if the directory was used before (attempts/started-at-most-once)', async () => {
        const spec = lab.spec(['true']);
        await (await lab.runner.spawn(spec)).exited;
        await expect(lab.runner.spawn(spec)).rejects.toMatchObject({ details: { reason: 'directory_used' } });
      });
    });

    it('leaks no descriptor, and starts 32 at once', async () => {
      const descriptors = () => readdirSync('/proc/self/fd').length;
      const wave = async () => {
        const started = await Promise.all(Array.from({ length: 32 }, () => lab.spawn(['true'])));
        return Promise.all(started.map(({ exited }) => exited));
      };
      await wave();
      const before = descriptors();
      const reports: ExitReport[] = [];
      for (let round = 0; round < 4; round += 1) reports.push(...(await wave()));
      expect(reports.every(({ exit }) => exit.kind === 'exited' && exit.code === 0)).toBe(true);
      await until('all descriptors are closed', () => descriptors() <= before);
    });
  },
);

describe('the launch shell', () => {
  const lab = new ProcessLab();
  const shells = async () =>
    (await lab.table.scan({})).filter(
      (entry) => entry.ppid === process.pid && entry.name === 'sh' && isAlive(entry),
    );
  let ready = false;

  beforeAll(async () => {
    ready = await lab.launchShellReady();
  });
  beforeEach(({ skip }) =>
    skip(!ready, 'there is no launch shell: no "setsid -f", or orphans are not reaped'),
  );
  afterAll(() => lab.dispose());

  it('may die: running processes go on and report their end, and the next spawn works', async () => {
    const running = await lab.spawn(['sh', '-c', 'sleep 0.5; exit 4']);
    const [shell] = await shells();
    process.kill(shell?.pid ?? 0, 'SIGKILL');
    await until('the shell is gone', async () => (await shells()).length === 0);
    const next = await lab.spawn(['sh', '-c', 'exit 5']);
    expect((await next.exited).exit).toEqual({ kind: 'exited', code: 5 });
    expect((await running.exited).exit).toEqual({ kind: 'exited', code: 4 });
  });

  it('ends with its runner', async () => {
    expect((await shells()).length).toBe(1);
    lab.runner.close();
    await until('the shell has ended', async () => (await shells()).length === 0);
    await expect(lab.spawn(['true'])).rejects.toMatchObject({ code: 'shutting_down' });
  });
});
