import pino from 'pino';
import { describe, expect, it } from 'vitest';
import type { Containment } from '../../../src/contracts/processes/containment.ts';
import type { Enclosure } from '../../../src/process/containment/enclosure.ts';
import type { Host } from '../../../src/process/host/host.ts';
import type { ProcessEntry, ProcessTable } from '../../../src/process/host/process-table.ts';
import { SharedScan } from '../../../src/process/host/scans.ts';
import { Killer } from '../../../src/process/kill/kill.ts';
import { Signaller } from '../../../src/process/kill/signals.ts';

const silent = pino({ level: 'silent' });

const OWN = { pid: 10, pgid: 10, sid: 10 };

/** A process table in memory, and a kill that is only noted. */
class FakeSystem {
  readonly processes = new Map<number, ProcessEntry>();
  readonly sent: [number, string][] = [];
  readonly table: ProcessTable = {
    scan: async () => [...this.processes.values()],
    lookup: (pid) => this.processes.get(pid),
    parseRecord: () => undefined,
    ageMs: () => 0,
    commandLine: async () => undefined,
    memory: () => undefined,
    markers: () => undefined,
    bootId: () => undefined,
  };
  readonly signaller = new Signaller(
    this.table,
    OWN,
    () => 0,
    (pid, signal) => {
      this.sent.push([pid, signal]);
      this.onKill(pid, signal);
    },
  );
  onKill: (pid: number, signal: string) => void = () => {};

  add(pid: number, more: Partial<ProcessEntry> = {}): ProcessEntry {
    const entry = { pid, ppid: 1, pgid: pid, sid: pid, startTime: '500', state: 'S', name: 'p', ...more };
    this.processes.set(pid, entry);
    return entry;
  }

  host(): Host {
    const { table, signaller } = this;
    const scans = new SharedScan(table);
    return { name: 'h', bootId: undefined, own: OWN, table, scans, signaller, log: silent, now: () => 0 };
  }
}

describe('Signaller', () => {
  it('sends nothing to a pid that another process has now (process/ownership-by-start-time)', () => {
    const system = new FakeSystem();
    const seen = system.add(100);
    system.add(100, { startTime: '501' });
    expect(system.signaller.toProcess(seen, 'SIGKILL')).toBeUndefined();
    expect(system.signaller.toGroup(100, [seen], 'SIGKILL')).toBeUndefined();
    expect(system.sent).toEqual([]);
  });

  it('sends nothing to a zombie, nor to a group that its known member has left', () => {
    const system = new FakeSystem();
    expect(system.signaller.toProcess(system.add(100, { state: 'Z' }), 'SIGKILL')).toBeUndefined();
    expect(system.signaller.toGroup(200, [system.add(201, { pgid: 201 })], 'SIGTERM')).toBeUndefined();
    expect(system.sent).toEqual([]);
  });

  it('never signals the first process, all processes, this process or its group', () => {
    const system = new FakeSystem();
    for (const pid of [-1, 0, 1, 10]) {
      const entry = system.add(pid);
      expect(system.signaller.toProcess(entry, 'SIGKILL')).toBeUndefined();
      expect(system.signaller.toGroup(pid, [entry], 'SIGKILL')).toBeUndefined();
    }
    expect(system.sent).toEqual([]);
  });

  it('signals a process and a group, and records a refusal', () => {
    const system = new FakeSystem();
    const entry = system.add(100);
    expect(system.signaller.toProcess(entry, 'SIGTERM')).toEqual({
      signal: 'SIGTERM',
      to: 'process',
      pid: 100,
      at: 0,
    });
    system.onKill = () => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
    };
    expect(system.signaller.toGroup(100, [entry], 'SIGTERM')).toMatchObject({
      to: 'group',
      refused: 'EPERM',
    });
    expect(system.sent).toEqual([
      [100, 'SIGTERM'],
      [-100, 'SIGTERM'],
    ]);
  });
});

/** @param left whether something is in it, as far as it can tell */
function enclosing(containment: Containment, left: () => boolean | undefined, kill = () => {}): Enclosure {
  return {
    containment,
    pids: () => (left() === true ? [7, 8] : []),
    isEmpty: () => {
      const some = left();
      return some === undefined ? undefined : !some;
    },
    killAll: () => {
      if (left() !== true) return undefined;
      kill();
      return { signal: 'SIGKILL', to: 'cgroup', pid: 7, at: 0 };
    },
    observe: () => {},
    remove: () => {},
  };
}

const PROVING = { enclosure: enclosing('subreaper', () => false) };

describe('Killer', () => {
  it('says "unknown" if nothing was found and nothing proves it', async () => {
    const target = { marker: 'm', enclosure: enclosing('subreaper', () => undefined) };
    const evidence = await new Killer(new FakeSystem().host(), target).kill({ graceMs: 0 });
    expect(evidence).toMatchObject({ containment: 'subreaper', survivors: 'unknown' });
  });

  it('kills what no scan finds, and counts it if it stays (kill/proved-by-evidence)', async () => {
    let left = true;
    const mortal = enclosing(
      'cgroup',
      () => left,
      () => {
        left = false;
      },
    );
    const host = new FakeSystem().host();
    const sent = { signal: 'SIGKILL', to: 'cgroup' };
    expect(await new Killer(host, { marker: 'm', enclosure: mortal }).kill({ graceMs: 0 })).toMatchObject({
      survivors: 0,
      signals: [sent],
    });
    const stuck = enclosing('cgroup', () => true);
    expect(await new Killer(host, { marker: 'm', enclosure: stuck }).kill({ graceMs: 0 })).toMatchObject({
      survivors: 2,
      signals: expect.arrayContaining([expect.objectContaining(sent)]),
    });
  });

  it('reports survivors after a bounded number of rounds (kill/proved-by-evidence)', async () => {
    const system = new FakeSystem();
    const stuck = system.add(100, { state: 'D' });
    const killer = new Killer(system.host(), { agent: stuck, marker: 'm', ...PROVING });
    const evidence = await killer.kill({ graceMs: 0 });
    expect(evidence.survivors).toBe(1);
    expect(evidence.signalCount).toBeGreaterThanOrEqual(3);
    expect(evidence.rounds).toBeLessThan(10);
    expect(killer.sentKill).toBe(true);
  });

  it('limits its lists; the counts stay complete', async () => {
    const system = new FakeSystem();
    const launcher = system.add(100);
    for (let pid = 1000; pid < 1200; pid += 1) system.add(pid, { ppid: 100, pgid: 100, sid: 100 });
    system.onKill = (pid) => {
      system.processes.delete(pid);
      if (system.processes.size === 1) system.processes.delete(100); // the launcher has nothing to wait for any more
    };
    const evidence = await new Killer(system.host(), { launcher, marker: 'm', ...PROVING }).kill({
      graceMs: 0,
    });
    expect(evidence).toMatchObject({ survivors: 0, processCount: 201, signalCount: 200 });
    expect(evidence.processes.length).toBe(64);
    expect(evidence.signals.length).toBe(64);
  });

  it('sends SIGTERM to a process that starts during the grace', async () => {
    const system = new FakeSystem();
    const launcher = system.add(100);
    const agent = system.add(101, { ppid: 100, pgid: 100, sid: 100 });
    system.onKill = (pid) => {
      system.processes.clear();
      // Its last deed is a child that was not there when the group was asked.
      if (pid === -100) system.add(102, { ppid: 1, pgid: 100, sid: 100, markers: ['m'] });
    };
    const evidence = await new Killer(system.host(), { launcher, agent, marker: 'm', ...PROVING }).kill({
      graceMs: 60_000,
    });
    expect(evidence.survivors).toBe(0);
    expect(system.sent).toEqual([
      [-100, 'SIGTERM'],
      [102, 'SIGTERM'],
    ]);
  });
});
