import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { LEASE_BUCKET } from '../../../src/contracts/messages/subjects.ts';
import { natsServer } from '../../support/nats/nats.ts';
import { type CliResult, runCli, temporaryDirectory } from '../../support/process/cli.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const NOWHERE = ['--url', 'http://127.0.0.1:9'];
/** The second process leaves its group and session. */
const FORKS =
  'setsid sh -c "trap : TERM; echo $$ >> pids; while :; do sleep 1; done" & echo $$ >> pids; exec sleep 600';

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { check: string; status: string; detail: string; advice?: string }[];
}

function doctor(sandbox: Sandbox, ...args: string[]): Promise<CliResult> {
  return runCli(['doctor', ...NOWHERE, ...args], { cwd: sandbox.directory, env: { SIGNALBOX_PORT: '0' } });
}

async function reportOf(sandbox: Sandbox, ...args: string[]): Promise<Report> {
  return JSON.parse((await doctor(sandbox, '--json', ...args)).out) as Report;
}

/** Living processes whose environment names this directory. */
async function agentsOf(sandbox: Sandbox): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      const isAgent = environment.includes('SIGNALBOX_ATTEMPT_MARKER=');
      return isAgent && environment.includes(sandbox.directory) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

/** For a test that fails between a kill and the repair. */
async function endAgents(sandbox: Sandbox): Promise<void> {
  for (const pid of await agentsOf(sandbox)) process.kill(pid, 'SIGKILL');
}

const CONFIG = {
  defaults: { kill_grace_seconds: 0.2, max_attempts: 1 },
  agents: { forks: { driver: 'command', command: ['sh', '-c', FORKS], cwd: '.' } },
  data_dir: 'data',
};

async function runAgent(sandbox: Sandbox): Promise<void> {
  await sandbox.up();
  await sandbox.post('/api/projects/demo/tasks', { id: 'long', title: 'long', agent: 'forks' });
  await until(async () => (await sandbox.lines('pids')).length === 2, 'both processes run', 20_000);
}

// Each has a directory and a Signalbox or a server of its own.
describe.concurrent('doctor --repair', () => {
  it('does not touch agents of a running Signalbox; reports and kills those of a killed one', {
    timeout: 90_000,
  }, async () => {
    await using sandbox = await Sandbox.create({ config: CONFIG });
    await runAgent(sandbox);
    expect((await doctor(sandbox)).out).not.toMatch(/orphans|^\S+ +repair/m);

    const { code, out } = await doctor(sandbox, '--repair');
    expect(code).toBe(1);
    expect(out).toMatch(
      /^fail repair +nothing was changed: a Signalbox is running on \S+ \(process \d+, since /m,
    );
    for (const pid of await sandbox.lines('pids')) expect(() => process.kill(Number(pid), 0)).not.toThrow();
    expect((await sandbox.get<{ open_attempts: number }>('/health')).open_attempts).toBe(1);

    await sandbox.kill('SIGKILL');
    await using _leftovers = { [Symbol.asyncDispose]: () => endAgents(sandbox) };
    const orphans = await agentsOf(sandbox);
    expect(orphans.length).toBeGreaterThanOrEqual(2);

    const report = await reportOf(sandbox);
    expect(report.ok).toBe(true);
    const warning = report.findings.find(({ check }) => check === 'orphans');
    expect(warning).toMatchObject({ status: 'warn', advice: expect.stringContaining('--repair') });
    for (const pid of await sandbox.lines('pids')) {
      expect(warning?.detail).toContain(`pid ${pid} of attempt demo/long/1: `);
    }
    for (const pid of await sandbox.lines('pids')) expect(() => process.kill(Number(pid), 0)).not.toThrow();

    const repaired = await reportOf(sandbox, '--repair');
    expect(repaired.findings).toContainEqual({
      check: 'orphans',
      status: 'ok',
      detail: expect.stringMatching(/^killed \(\d+ found, \d+ signals sent, none left\):\n/),
    });
    expect(await agentsOf(sandbox)).toEqual([]);
    expect((await doctor(sandbox)).out).toMatch(/^ok {3}orphans +none$/m);

    await sandbox.up();
    await until(
      async () => (await sandbox.get<{ open_attempts: number }>('/health')).open_attempts === 0,
      'the next Signalbox records the end',
    );
    expect(await sandbox.lines('pids')).toHaveLength(2);
  });

  it('removes only files of a killed server and of an interrupted copy', {
    timeout: 60_000,
  }, async () => {
    await using sandbox = await Sandbox.create({ config: CONFIG });
    await runAgent(sandbox);
    await sandbox.kill('SIGTERM');
    const data = join(sandbox.directory, 'data');
    const old = join(data, 'content', '.broken-off');
    const young = join(data, 'content', '.under-way');
    const kept = join(data, 'content', 'kept');
    const ports = join(data, 'nats', 'run', 'nats-server_4194999.ports');
    const pidFile = join(data, 'nats', 'nats-server.pid');
    await mkdir(join(data, 'content'), { recursive: true });
    for (const file of [old, young, kept, ports]) await writeFile(file, '');
    await writeFile(pidFile, '4194999');
    for (const file of [old, kept]) await utimes(file, new Date(0), new Date(0));

    const warned = (await reportOf(sandbox)).findings.find(({ check }) => check === 'stale files');
    expect(warned?.status).toBe('warn');
    expect(warned?.detail.split('\n').sort()).toEqual([old, pidFile, ports].sort());
    await doctor(sandbox, '--repair');
    expect((await readdir(join(data, 'content'))).sort()).toEqual(['.under-way', 'kept']);
    expect(await readdir(join(data, 'nats', 'run'))).toEqual([]);
    expect(await readdir(join(data, 'nats'))).not.toContain('nats-server.pid');
  });

  it('releases a lease on an external server only if its holder is gone', {
    timeout: 60_000,
  }, async () => {
    await using nats = await natsServer();
    const { user = '', pass = '' } = nats.connectOptions;
    const env = {
      NATS_URL: nats.url.replace('//', `//${user}:${encodeURIComponent(pass)}@`),
      SIGNALBOX_PORT: '0',
    };
    const cwd = await temporaryDirectory();
    const run = async (...args: string[]): Promise<string> =>
      (await runCli(['doctor', ...NOWHERE, ...args], { cwd, env })).out;
    expect(await run('--repair')).toMatch(/^ok {3}lease +free$/m);

    const connection = await connect(nats.connectOptions);
    const kv = await new Kvm(connection).create(LEASE_BUCKET, { history: 1, ttl: 60_000 });
    const holder = { writer: 'w', pid: 4_194_999, startTime: '1', since: 'yesterday' };
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    await kv.put('writer', JSON.stringify({ ...holder, host: 'elsewhere', bootId: 'b' }));
    expect(await run('--repair')).toMatch(
      /^ok {3}lease +held by process 4194999 on host elsewhere, .*cannot check from here/m,
    );

    await kv.put('writer', JSON.stringify({ ...holder, host: hostname(), bootId }));
    expect(await run()).toMatch(/^warn lease +held by process 4194999 .*, which is gone$/m);
    expect((await kv.get('writer'))?.operation).toBe('PUT');
    expect(await run('--repair')).toMatch(
      /^ok {3}lease +released; its holder, process 4194999 .*, is gone$/m,
    );
    expect((await kv.get('writer'))?.operation).not.toBe('PUT');
    expect(await run()).toMatch(/^ok {3}lease +free$/m);
    await connection.close();
    await rm(cwd, { recursive: true, force: true });
  });
});
