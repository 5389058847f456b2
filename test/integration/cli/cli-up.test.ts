import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startCli, startUp, temporaryDirectory } from '../../support/process/cli.ts';
import { isRunning } from '../../support/process/processes.ts';
import { until } from '../../support/until.ts';

const NO_AGENTS = 'agents: {}\n';

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await temporaryDirectory();
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe.concurrent('signalbox up', () => {
  it('prints one line when it is ready, logs JSON to standard error, and leaves no process after SIGTERM', async () => {
    await using up = await startUp(NO_AGENTS);
    expect(up.process.out).toMatch(
      /^Signalbox \d+\.\d+\.\d+ is ready: http:\/\/127\.0\.0\.1:\d+ \(dashboard at http:\/\/127\.0\.0\.1:\d+\/ui\/, NATS \d+\.\d+\.\d+ embedded at nats:\/\/127\.0\.0\.1:\d+, data in \/.+\)\n$/,
    );
    const health = await up.client.readHealth();
    const natsPid = health.nats.pid ?? -1;
    expect(isRunning(natsPid)).toBe(true);
    up.process.signal('SIGTERM');
    const { code, out, err } = await up.process.ended;
    expect(code).toBe(0);
    expect(out.split('\n')).toHaveLength(2);
    const log = err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string });
    expect(log.at(-1)?.msg).toBe('stopped');
    expect(isRunning(natsPid)).toBe(false);
  });

  it('refuses to start twice on one data directory; the first one continues', async () => {
    await using up = await startUp(NO_AGENTS);
    const second = await runCli(['up', '--port', '0', '--log-level', 'silent'], { cwd: up.directory });
    expect(second).toMatchObject({ code: 4, out: '' });
    expect(second.err).toMatch(/^signalbox: .*in use by another Signalbox.* \[log_in_use\]\n$/);
    expect((await up.client.readHealth()).ready).toBe(true);
  });

  it('reports a port in use with advice, and leaves nothing running', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as { port: number };
    await inDirectory(async (directory) => {
      const { code, out, err } = await runCli(['up', '--port', String(port), '--log-level', 'silent'], {
        cwd: directory,
      });
      expect({ code, out }).toEqual({ code: 4, out: '' });
      expect(err).toMatch(/^signalbox: .*is in use by another program.*--port \[address_in_use\]\n$/);
      const pid = Number(
        await readFile(join(directory, '.signalbox/nats/nats-server.pid'), 'utf8').catch(() => '-1'),
      );
      expect(isRunning(pid)).toBe(false);
    });
    server.close();
  });

  it('reports an invalid configuration with line and field before it creates anything', async () => {
    await inDirectory(async (directory) => {
      await writeFile(
        join(directory, 'bad.yaml'),
        'agents:\n  a: { driver: command, comand: [x] }\nlimits: { concurrency: 0 }\n',
      );
      const { code, out, err } = await runCli(['up', '--config', 'bad.yaml'], { cwd: directory });
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain('signalbox: The configuration is not valid. [config_invalid]\n');
      expect(err).toContain('bad.yaml:2:25 agents.a.comand: unknown key; did you mean "command"?');
      expect(err).toMatch(/bad.yaml:3:\d+ limits.concurrency: /);
      await expect(access(join(directory, '.signalbox'))).rejects.toThrow();
      const wrongPort = await runCli(['up', '--port', '99999'], { cwd: directory });
      expect(wrongPort.code).toBe(2);
      expect(wrongPort.err).toContain('--port: expected a whole number from 0 to 65535');
    });
  });

  it('stops without waiting on the second signal', async () => {
    await using up = await startUp(`
shutdown: { agents: kill, drain_seconds: 600 }
agents:
  sleeper: { driver: command, command: ["sleep", "600"] }
`);
    await up.client.createTask({ project: 'default', title: 'sleep', agent: 'sleeper', id: 's' });
    await until(
      async () => (await up.client.readTask({ project: 'default', task: 's' })).status === 'working',
      'the agent runs',
    );
    up.process.signal('SIGINT');
    await until(() => up.process.err.includes('"stop requested"'), 'it drains');
    up.process.signal('SIGINT');
    expect(await up.process.ended).toMatchObject({ code: 0 });
  });

  it('continues after a SIGKILL, and a watch started before sees the end of the task', async () => {
    await using up = await startUp(`
defaults: { review: auto }
agents:
  slow: { driver: command, command: ["sh", "-c", "while ! test -e go; do sleep 0.1; done; echo went"], cwd: . }
`);
    await up.client.createTask({ project: 'default', title: 'wait', agent: 'slow', id: 'w' });
    await using watch = await up.start(['task', 'watch', 'w']);
    await watch.until(/claimed → working/);
    up.process.signal('SIGKILL');
    await up.process.ended;
    const { port } = new URL(up.url);
    await using again = await startCli(['up', '--port', port, '--log-level', 'silent'], {
      cwd: up.directory,
    });
    await again.until(/is ready/);
    await writeFile(join(up.directory, 'go'), '');
    const { code, out } = await watch.ended;
    expect(code).toBe(0);
    expect(out).toMatch(/task w is done, with 1 output\n$/);
    expect(out.match(/attempt.started/g)).toHaveLength(1);
  });
});
