import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LinuxProcessTable } from '../../../src/process/host/linux-processes.ts';
import type { ProcessTable } from '../../../src/process/host/process-table.ts';
import { SharedScan } from '../../../src/process/host/scans.ts';

function countingTable(scanMs: number) {
  const queries: (string | undefined)[] = [];
  let atOnce = 0;
  let atOnceMax = 0;
  const table: ProcessTable = {
    scan: async ({ markersSince }) => {
      queries.push(markersSince);
      atOnce += 1;
      atOnceMax = Math.max(atOnceMax, atOnce);
      await pause(scanMs);
      atOnce -= 1;
      return [];
    },
    lookup: () => undefined,
    parseRecord: () => undefined,
    ageMs: () => 0,
    commandLine: async () => undefined,
    memory: () => undefined,
    markers: () => undefined,
    bootId: () => undefined,
  };
  return { table, queries, atOnceMax: () => atOnceMax };
}

describe('SharedScan', () => {
  it('answers simultaneous calls with one scan, with the markers that each of them needs', async () => {
    const { table, queries } = countingTable(5);
    const scans = new SharedScan(table);
    const answers = await Promise.all([
      scans.scan('900'),
      scans.scan(),
      scans.scan('1000'),
      scans.scan('90'),
    ]);
    expect(queries).toEqual(['90']);
    expect(new Set(answers).size).toBe(1);
  });

  it('starts a scan after the call that it answers, one at a time', async () => {
    const { table, queries, atOnceMax } = countingTable(20);
    const scans = new SharedScan(table);
    const first = scans.scan();
    await pause(5);
    expect(queries.length).toBe(1);
    const second = scans.scan('7');
    const third = scans.scan();
    expect(await second).toBe(await third);
    expect(await second).not.toBe(await first);
    expect(queries).toEqual([undefined, '7']);
    expect(atOnceMax()).toBe(1);
  });

  it('works after a scan that failed', async () => {
    const { table } = countingTable(0);
    let fail = true;
    const scans = new SharedScan({
      ...table,
      scan: async (query) => {
        if (fail) throw new Error('no /proc');
        return table.scan(query);
      },
    });
    await expect(scans.scan()).rejects.toThrow('no /proc');
    fail = false;
    expect((await scans.scan()).size).toBe(0);
  });
});

describe.runIf(process.platform === 'linux')('LinuxProcessTable', () => {
  const table = new LinuxProcessTable();

  it('shows this process', async () => {
    const entry = table.lookup(process.pid);
    expect(entry).toMatchObject({ pid: process.pid, ppid: process.ppid, beforeExec: false });
    expect((await table.scan({})).find(({ pid }) => pid === process.pid)?.startTime).toBe(entry?.startTime);
    expect(table.memory(process.pid)?.nowBytes).toBeGreaterThan(10e6);
    expect(await table.commandLine(process.pid)).toContain('node');
    expect(table.bootId()).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('returns nothing for a process that does not exist', async () => {
    const pid = 2 ** 22 + 1; // beyond the highest pid that Linux gives out
    expect(table.lookup(pid)).toBeUndefined();
    expect(table.memory(pid)).toBeUndefined();
    expect(await table.commandLine(pid)).toBeUndefined();
  });
});
