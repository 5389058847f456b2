import { cp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDirectory, MAIN, ROOT } from '../../support/process/build.ts';
import { startCli, temporaryDirectory } from '../../support/process/cli.ts';
import { isRunning } from '../../support/process/processes.ts';

const TIMEOUT_MS = 120_000;

// Each waits for agents that take their time, in directories of its own.
describe.concurrent('signalbox demo', () => {
  it('runs to the end, shows real work, and proves that the log alone restores the state', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const temporary = await temporaryDirectory();
    await using demo = await startCli(['demo'], { env: { TMPDIR: temporary } });
    const { code, out, err } = await demo.ended;
    expect({ code, err }).toEqual({ code: 0, err: '' });

    expect(out).toMatch(/usage +\S+ +scheduled → pending +task.due/);
    expect(out).toMatch(/analysis +\S+ +review → pending +task.rejected +by demo-person/);
    expect(out).toMatch(/Read: [\d,]+ source files with [\d,]+ lines/);
    expect(out).toContain('duration_seconds by task_type');
    expect(out).toMatch(/hang +\S+ +running → suspected +attempt.suspected/);
    expect(out).toMatch(/hang +1 +sleeper +\d+ +timed_out +SIGKILL/);
    expect(out).toMatch(
      /SIGTERM to the group.*SIGKILL(?: to the cgroup)?; \d+ processes found: .*; none left/,
    );
    expect(out.match(/^✓ /gm)).toHaveLength(7);
    const [before, after] = [...out.matchAll(/^ {2}(?:before|after) +sha256 ([0-9a-f]{64}) /gm)];
    expect(after?.[1]).toBe(before?.[1]);

    const pids = [...out.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
    expect(pids.length).toBeGreaterThan(7);
    expect(pids.filter(isRunning)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
    await rm(temporary, { recursive: true });
  });

  it('leaves no process and no file when it is interrupted', { timeout: TIMEOUT_MS }, async () => {
    const temporary = await temporaryDirectory();
    await using demo = await startCli(['demo'], { env: { TMPDIR: temporary } });
    const [, pid] = await demo.until(/hang +\S+ +claimed → working .*pid (\d+)/);
    demo.signal('SIGINT');
    const { code, err } = await demo.ended;
    expect(code).toBe(130);
    expect(err).toBe('Interrupted: everything that the demo started is stopped.\n');
    expect(isRunning(Number(pid))).toBe(false);
    expect(await readdir(temporary)).toEqual([]);
    await rm(temporary, { recursive: true });
  });

  it('runs from a package without git history and without sources', { timeout: TIMEOUT_MS }, async () => {
    const temporary = await temporaryDirectory();
    const main = await unpackedCli(join(temporary, 'package'));
    await using demo = await startCli(['demo'], { main });
    const { code, out } = await demo.ended;
    expect(code, out).toBe(0);
    expect(out).toContain('no history');
    await rm(temporary, { recursive: true });
  });
});

/** What `npm pack` would ship, in a directory of its own. */
async function unpackedCli(directory: string): Promise<string> {
  const build = await buildDirectory();
  await cp(build, join(directory, 'dist'), { recursive: true });
  for (const name of ['package.json', 'nats.conf', 'examples']) {
    await cp(join(ROOT, name), join(directory, name), { recursive: true });
  }
  await writeFile(join(directory, 'README.md'), '# Signalbox\n\n## Use\n');
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return join(directory, 'dist', MAIN);
}
