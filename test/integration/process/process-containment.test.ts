/** Processes that try to get out, on each way of containment that this machine allows: what a kill says is true. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CONTAINMENTS } from '../../../src/contracts/processes/containment.ts';
import { containerFor } from '../../../src/process/containment/container.ts';
import type { KillEvidence } from '../../../src/process/runner.ts';
import { fixture, ProcessLab, textOf, until } from './process-harness.ts';

const ESCAPES = [
  ...['double-fork', 'setsid', 'environment', 'name', 'daemon', 'nohup'],
  ...['background', 'reparented', 'stopped', 'deaf', 'bomb', 'during-kill'],
];
const BEST = containerFor('auto').kind;

function isThere(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

describe.each(CONTAINMENTS.filter((each) => each === BEST || each === 'search'))('%s', (containment) => {
  const lab = new ProcessLab({ containment });
  const pidsOf = (file: string): number[] => textOf(file).trim().split('\n').map(Number).filter(Boolean);
  const files: string[] = [];
  afterAll(async () => {
    for (const pid of files.flatMap(pidsOf)) if (isThere(pid)) process.kill(pid, 'SIGKILL');
    await lab.dispose();
  });

  const escaped = async (way: string) => {
    const pids = join(lab.base, `${files.length}-${way}`);
    files.push(pids);
    const spec = lab.spec(fixture('escapes.sh', pids, way));
    const attempt = await lab.runner.spawn(spec);
    await until(`${way} is there`, () => pidsOf(pids).length > 0);
    return { pids, spec, attempt };
  };
  /** What is claimed holds: 0 is proved, and whatever is left is not denied. */
  const check = (way: string, { survivors }: KillEvidence, pids: string): void => {
    const left = pidsOf(pids).filter(isThere);
    if (containment === 'search') expect(survivors, way).not.toBe(0);
    else expect({ way, survivors, left }).toEqual({ way, survivors: 0, left: [] });
  };

  it.each(ESCAPES)(
    '%s: a kill finds it, or does not claim that nothing is left (kill/proved-by-evidence)',
    async (way) => {
      const decoy = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
      const { pids, attempt } = await escaped(way);
      check(way, await attempt.kill({ graceMs: 300 }), pids);
      expect(isThere(decoy.pid ?? 0)).toBe(true);
      decoy.kill('SIGKILL');
    },
  );

  it('is adopted with what got away, after its agent has ended (attempts/ended-for-certain)', async () => {
    const all = await Promise.all(ESCAPES.filter((way) => way !== 'bomb').map(escaped));
    for (const { attempt } of all) process.kill(attempt.identity.pid, 'SIGKILL');
    lab.restart({ containment });
    for (const { pids, spec, attempt } of all) {
      const known = { pid: attempt.identity.pid, startTime: attempt.identity.startTime };
      const adoption = await lab.runner.adopt(spec.directory, spec.marker, known);
      if (adoption.kind === 'never_started') throw new Error(adoption.reason);
      check(pids, await adoption.process.kill({ graceMs: 300 }), pids);
      const { exit } = adoption.kind === 'running' ? await adoption.process.exited : adoption.process.report;
      expect(exit, pids).toEqual({ kind: 'signalled', signal: 'SIGKILL' });
    }
  });

  it('says "unknown" if the launcher was killed', async () => {
    const { attempt } = await escaped('daemon');
    process.kill(attempt.group, 'SIGKILL');
    await until('it is gone', () => !isThere(attempt.group));
    expect((await attempt.kill({ graceMs: 100 })).survivors).toBe('unknown');
  });
});
