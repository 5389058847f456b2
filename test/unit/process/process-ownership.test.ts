import { describe, expect, it } from 'vitest';
import { type Claim, findOwned, partsOfLauncher } from '../../../src/process/host/ownership.ts';
import type { ProcessEntry } from '../../../src/process/host/process-table.ts';
import { ProcessIndex } from '../../../src/process/host/scans.ts';

/** A process of the table; its group and session are its parent's unless said otherwise. */
function entry(pid: number, ppid: number, group: number, more: Partial<ProcessEntry> = {}): ProcessEntry {
  return { pid, ppid, pgid: group, sid: group, startTime: '500', state: 'S', name: `p${pid}`, ...more };
}

const OWN = { pid: 10, pgid: 10, sid: 10 };
const CLAIM: Claim = { known: [{ pid: 100, startTime: '500' }], marker: 'm', since: '500', own: OWN };
const INIT = entry(1, 0, 1, { startTime: '1' });
const SIGNALBOX = entry(10, 1, 10, { startTime: '100' });
const LAUNCHER = entry(100, 10, 100);
const AGENT = entry(101, 100, 100);

function owned(entries: readonly ProcessEntry[], change: Partial<Claim> = {}): Record<number, string> {
  const found = findOwned(new ProcessIndex([INIT, SIGNALBOX, ...entries]), { ...CLAIM, ...change });
  return Object.fromEntries(found.map((process) => [process.entry.pid, process.foundBy]));
}

describe('findOwned', () => {
  it('finds children, members of the group and of the session', () => {
    const orphanInGroup = entry(102, 1, 100);
    const orphanInSession = entry(103, 1, 103, { sid: 100 });
    const foreign = entry(200, 1, 200);
    expect(owned([LAUNCHER, AGENT, orphanInGroup, orphanInSession, foreign])).toEqual({
      100: 'known',
      101: 'descent',
      102: 'group',
      103: 'session',
    });
  });

  it('follows a child into its own session, and finds the orphans there', () => {
    const daemon = entry(102, 101, 102);
    const orphan = entry(103, 1, 102);
    expect(owned([LAUNCHER, AGENT, daemon, orphan])).toMatchObject({ 102: 'descent', 103: 'group' });
  });

  it('finds what carries the marker, and what belongs to that', () => {
    const daemon = entry(300, 1, 300, { markers: ['m'] });
    const bare = entry(301, 300, 300);
    const other = entry(302, 1, 302, { markers: ['n'] });
    expect(owned([daemon, bare, other])).toEqual({ 300: 'marker', 301: 'descent' });
  });

  it('ignores a process with the pid of the launcher but another start time (process/ownership-by-start-time)', () => {
    const stranger = entry(100, 1, 100, { startTime: '900' });
    expect(owned([stranger, entry(901, 100, 100, { startTime: '901' })])).toEqual({});
  });

  it('ignores a group whose number is the pid of a foreign process (process/ownership-by-start-time)', () => {
    const shell = entry(400, 1, 400, { startTime: '600' });
    const borrowed = entry(401, 400, 400, { startTime: '700', markers: ['m'] });
    const neighbour = entry(402, 400, 400, { startTime: '700' });
    expect(owned([shell, borrowed, neighbour])).toEqual({ 401: 'marker' });
  });

  it('accepts a doubted group once the process with its number turns out to be owned', () => {
    const marked = entry(501, 1, 500, { markers: ['m'] });
    const leader = entry(500, 502, 500);
    const mother = entry(502, 1, 502, { markers: ['m'] });
    const orphan = entry(503, 1, 500);
    expect(owned([marked, leader, mother, orphan])).toMatchObject({ 500: 'descent', 503: 'group' });
  });

  it('accepts a group whose number no process has while an owned process is in it', () => {
    const left = entry(102, 1, 100);
    expect(owned([left])).toEqual({});
    expect(owned([left, entry(103, 1, 100, { markers: ['m'] })])).toEqual({ 102: 'group', 103: 'marker' });
  });

  it('ignores processes that started before the launcher (process/ownership-by-start-time)', () => {
    expect(owned([LAUNCHER, entry(99, 100, 100, { startTime: '499' })])).toEqual({ 100: 'known' });
  });

  it('never takes this process, its group, or the first process for owned (process/ownership-by-start-time)', () => {
    const self = { ...SIGNALBOX, markers: ['m'], startTime: '600' };
    const sibling = entry(11, 10, 10, { markers: ['m'], startTime: '600' });
    const first = { ...INIT, markers: ['m'], startTime: '600' };
    expect(owned([self, sibling, first])).toEqual({});
  });

  it('does not look at markers without one to look for', () => {
    const { known, since, own } = CLAIM;
    const index = new ProcessIndex([entry(300, 1, 300, { markers: ['m'] })]);
    expect(findOwned(index, { known, since, own })).toEqual([]);
  });

  it('terminates if processes name each other as parents', () => {
    expect(owned([entry(100, 101, 100), entry(101, 100, 100)])).toEqual({ 100: 'known', 101: 'descent' });
  });
});

describe('partsOfLauncher', () => {
  const forked = { beforeExec: true } as const;
  const pids = (entries: readonly ProcessEntry[]): number[] =>
    [...partsOfLauncher(entries, LAUNCHER)].map(({ pid }) => pid);

  it('finds the processes of its group that have executed no program, and what those have executed', () => {
    const copier = entry(102, 100, 100, forked);
    const nested = entry(103, 102, 100, forked);
    const dd = entry(104, 103, 100);
    const ofAgent = entry(105, 101, 100, forked);
    const childOfAgent = entry(106, 101, 100);
    const elsewhere = entry(107, 100, 107, forked);
    expect(pids([LAUNCHER, AGENT, copier, nested, dd, ofAgent, childOfAgent, elsewhere])).toEqual([
      100, 102, 103, 104,
    ]);
  });

  it('ends for parents in a ring, and takes a moment for a chain of thousands', () => {
    const ring = [entry(102, 103, 100, forked), entry(103, 102, 100, forked)];
    expect(pids([LAUNCHER, ...ring])).toEqual([100]);
    const chain = Array.from({ length: 50_000 }, (_, index) =>
      entry(200 + index, index === 0 ? 100 : 199 + index, 100, forked),
    );
    expect(pids([LAUNCHER, ...chain.toReversed()])).toHaveLength(50_001);
  });
});
