/** Each way of containment that this machine allows: kills in number, how a command ends, and what it sees. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildDirectory } from '../../support/process/build.ts';
import { fixture, ProcessLab, textOf, until, WAYS } from './process-harness.ts';

describe.each(WAYS)('$containment (not here: $refusal)', ({ containment, refusal }) => {
  if (refusal !== null) return it.skip(refusal);
  const lab = new ProcessLab({ containment });
  afterAll(() => lab.dispose());

  it('leaves nothing in 200 kills of a fixture that ignores SIGTERM, forks twice and calls setsid (kill/proved-by-evidence)', async () => {
    const decoys = [fixture('unkillable.sh'), ['sleep', '600']].map(([program = '', ...args]) =>
      spawn(program, args, { detached: true, stdio: 'ignore' }),
    );
    const batch = async () => {
      const specs = Array.from({ length: 20 }, () => lab.spec(fixture('unkillable.sh')));
      const started = await Promise.all(specs.map((spec) => lab.runner.spawn(spec)));
      const isReady = (directory: string) => textOf(join(directory, 'stdout.log')) === 'ready\n';
      await until('all daemons have children', () => specs.every(({ directory }) => isReady(directory)));
      return Promise.all(started.map((process) => process.kill({ graceMs: 20 })));
    };
    for (let kills = 0; kills < 200; kills += 20) {
      for (const evidence of await batch()) {
        expect(evidence.survivors).toBe(containment === 'search' ? 'unknown' : 0);
        // Launcher, agent and its sleep; daemon, its sleep, and its three children.
        expect(evidence.processCount).toBeGreaterThanOrEqual(7);
        expect(evidence.signals.map(({ signal }) => signal)).toContain('SIGKILL');
        expect(evidence.signals[0]).toMatchObject({ signal: 'SIGTERM', to: 'group' });
      }
      expect(await lab.marked()).toEqual([]);
    }
    for (const decoy of decoys) {
      expect(decoy.exitCode ?? decoy.signalCode).toBeNull();
      process.kill(-(decoy.pid ?? 0), 'SIGKILL');
    }
  }, 180_000);

  it.each([
    [['sh', '-c', 'exit 5'], { kind: 'exited', code: 5 }],
    [['sh', '-c', 'exit 143'], { kind: 'exited', code: 143 }],
    [['sh', '-c', 'kill -TERM $$'], { kind: 'signalled', signal: 'SIGTERM' }],
    [['sh', '-c', 'kill -KILL $$'], { kind: 'signalled', signal: 'SIGKILL' }],
    [['sh', '-c', 'kill -SEGV $$'], { kind: 'signalled', signal: 'SIGSEGV' }],
    [['sh', '-c', 'sleep 600 & exit 6'], { kind: 'exited', code: 6 }],
    [fixture('without-interpreter', '7'), { kind: 'exited', code: 7 }],
  ])('tells how it ends: %j', async (command, exit) => {
    const attempt = await lab.spawn(command);
    expect((await attempt.exited).exit).toEqual(exit);
    await attempt.kill({ graceMs: 0 });
  });

  it('tells that a command cannot be executed', async () => {
    const ending = lab.spawn(fixture('missing-interpreter')).then(
      async (attempt) => (await attempt.exited).exit,
      (error: unknown) => ({ kind: 'refused', reason: String(error) }),
    );
    expect(await ending).toMatchObject({
      reason: expect.stringMatching(/missing-interpreter.*not found|No such file/),
    });
  });

  it('gives the command its environment, its input and its directory, and SIGTERM and SIGINT as they were', async () => {
    const env = { PATH: process.env.PATH ?? '', PERL5LIB: '/somewhere', PERL5OPT: '-Mstrict', A: 'b c' };
    const input = join(lab.base, 'input');
    writeFileSync(input, 'line\n');
    const script =
      'trap "echo interrupted" INT; kill -INT $$; read x; echo "$x"; pwd; env | grep -v SIGNALBOX | sort; (kill -TERM $BASHPID); echo $?';
    const spec = lab.spec(['bash', '-c', script], { env, stdin: input });
    const attempt = await lab.runner.spawn(spec);
    expect((await attempt.exited).exit).toEqual({ kind: 'exited', code: 0 });
    const lines = textOf(join(spec.directory, 'stdout.log'))
      .split('\n')
      .filter((line) => !/^(PWD|SHLVL|_)=/.test(line));
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    expect(lines).toEqual(['interrupted', 'line', lab.base, ...variables.toSorted(), '143', '']);
    await attempt.kill({ graceMs: 0 });
  });

  it('ends all at once in a fork bomb, and finishes', async () => {
    const attempt = await lab.spawn(fixture('respawns.sh', 'session'));
    const evidence = await attempt.kill({ graceMs: 0 });
    expect(evidence.survivors).toBe(containment === 'search' ? 'unknown' : 0);
    expect(await lab.marked()).toEqual([]);
  });
});

/** Why an ordinary user cannot make a namespace here, or not run this program. */
function refusalForNobody(): string | null {
  if (process.geteuid?.() !== 0) return 'only root can run a process as another user';
  const status = (...command: string[]) => spawnSync('setpriv', [...AS_NOBODY, ...command]).status;
  const look = 'require("node:fs").readdirSync(process.argv[1])';
  if (status(process.execPath, '-e', look, dirname(import.meta.dirname)) !== 0)
    return 'other users cannot read this directory';
  const isAllowed =
    status('unshare', '--user', '--map-current-user', '--pid', '--fork', '--mount-proc', 'true') === 0;
  return isAllowed ? null : 'ordinary users cannot make namespaces here';
}

const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];
const refusal = refusalForNobody();

describe.skipIf(refusal !== null)(`an ordinary user (not here: ${refusal})`, () => {
  const lab = new ProcessLab();
  afterAll(() => lab.dispose());

  it('has a PID namespace with a user namespace, in which agents are that user', async () => {
    const base = join(lab.base, 'nobody');
    mkdirSync(base);
    for (const path of [lab.base, base]) chmodSync(path, 0o777);
    const scripts = [
      'id -u; id -g; echo $$; exit 5',
      'echo $$; setsid -f env -i /bin/sleep 1000; sleep 1000',
    ];
    const specs = scripts.map((script, index) =>
      lab.spec(['sh', '-c', script], { directory: join(base, String(index)), cwd: base }),
    );
    const plan = join(base, 'plan.json');
    writeFileSync(plan, JSON.stringify(specs));
    const runner = join(await buildDirectory(), 'src', 'process', 'host-runner.js');
    const supervisor = fixture('supervisor.mjs', runner, plan, 'pid_namespace', 'leave');
    const child = spawn('setpriv', [...AS_NOBODY, process.execPath, ...supervisor], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (piece: Buffer) => {
      errors += String(piece);
    });
    const [code] = await once(child, 'exit');
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const output = (index: number) => textOf(join(base, String(index), 'stdout.log'));
    await until('both have begun', () => output(0).endsWith('2\n') && output(1) === '2\n');
    expect(output(0)).toBe('65534\n65534\n2\n');
    for (const [index, { directory, marker }] of specs.entries()) {
      const adoption = await lab.runner.adopt(directory, marker);
      if (adoption.kind === 'never_started') throw new Error(adoption.reason);
      const evidence = await adoption.process.kill({ graceMs: 0 });
      expect(evidence).toMatchObject({ containment: 'pid_namespace', survivors: 0 });
      const { exit } = adoption.kind === 'running' ? await adoption.process.exited : adoption.process.report;
      expect(exit).toEqual(
        [
          { kind: 'exited', code: 5 },
          { kind: 'signalled', signal: 'SIGKILL' },
        ][index],
      );
    }
    expect(readFileSync(join(base, '0', 'spec.json'), 'utf8')).toContain('"pid_namespace"');
  });
});
