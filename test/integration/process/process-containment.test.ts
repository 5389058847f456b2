/** Processes that try to get out, on each way of containment that this machine allows: what a kill says is true. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { KillEvidence } from '../../../src/process/runner.ts';
import { fixture, isProvedByKernel, ProcessLab, textOf, until, WAYS } from './process-harness.ts';

const ESCAPES = [
  ...['double-fork', 'setsid', 'environment', 'name', 'daemon', 'nohup'],
  ...['background', 'reparented', 'stopped', 'deaf', 'bomb', 'during-kill'],
];
function isThere(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function processesIn(namespace: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Boolean);
  return pids.filter((pid) => isThere(pid) && namespaceOf(pid) === namespace);
}

describe.each(WAYS)('$containment (not here: $refusal)', ({ containment, refusal }) => {
  if (refusal !== null) return it.skip(refusal);
  const lab = new ProcessLab({ containment });
  /** Agents in a PID namespace note pids that mean something only there. */
  const namespaces = new Map<string, string>();
  const held: number[] = [];
  const pidsOf = (file: string): number[] => textOf(file).trim().split('\n').map(Number).filter(Boolean);
  const files: string[] = [];
  afterAll(async () => {
    if (containment !== 'pid_namespace')
      for (const pid of files.flatMap(pidsOf)) if (isThere(pid)) process.kill(pid, 'SIGKILL');
    for (const descriptor of held) closeSync(descriptor);
    await lab.dispose();
  });

  const escaped = async (way: string) => {
    const pids = join(lab.base, `${files.length}-${way}`);
    files.push(pids);
    const spec = lab.spec(fixture('escapes.sh', pids, way));
    const attempt = await lab.runner.spawn(spec);
    await until(`${way} is there`, () => pidsOf(pids).length > 0);
    if (containment === 'pid_namespace') {
      const [first] = (await attempt.tree()).filter(({ parentPid }) => parentPid === attempt.identity.pid);
      const place = `/proc/${first?.pid}/ns/pid`;
      // As long as it is open, no later namespace gets its number.
      held.push(openSync(place, 'r'));
      namespaces.set(pids, readlinkSync(place));
    }
    return { pids, spec, attempt };
  };
  /** What is claimed holds: 0 is proved, and whatever is left is not denied. */
  const check = (way: string, { survivors }: KillEvidence, pids: string): void => {
    const namespace = namespaces.get(pids);
    const left = namespace === undefined ? pidsOf(pids).filter(isThere) : processesIn(namespace);
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

  it('says what is left if the launcher was killed, or that it is unknown', async () => {
    const { attempt } = await escaped('daemon');
    process.kill(attempt.group, 'SIGKILL');
    await until('it is gone', () => !isThere(attempt.group));
    const { survivors } = await attempt.kill({ graceMs: 100 });
    expect(survivors).toBe(isProvedByKernel(containment) ? 0 : 'unknown');
  });
});
