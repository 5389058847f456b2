import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { CONTAINMENTS } from '../../../src/contracts/processes/containment.ts';
import { baseOf } from '../../../src/process/containment/cgroup/cgroup-base.ts';
import { CgroupEnclosure } from '../../../src/process/containment/cgroup/cgroup-enclosure.ts';
import { hierarchies, hierarchiesOf } from '../../../src/process/containment/cgroup/cgroup-files.ts';
import { containerFor } from '../../../src/process/containment/container.ts';
import { enclosureOf } from '../../../src/process/containment/enclosure.ts';
import { AttemptDirectory } from '../../../src/process/files/attempt-directory.ts';
import { createHost } from '../../../src/process/host/host.ts';

describe('the cgroups of this process', () => {
  it('are found in version 2 alone, as with systemd', () => {
    const mounts = '29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
    const own = '0::/system.slice/signalbox.service/supervisor\n';
    expect(hierarchiesOf(mounts, own)).toEqual([
      {
        version: 2,
        controllers: [],
        mount: '/sys/fs/cgroup',
        own: '/sys/fs/cgroup/system.slice/signalbox.service/supervisor',
      },
    ]);
    expect(baseOf('/sys/fs/cgroup/system.slice/signalbox.service/supervisor')).toBe(
      '/sys/fs/cgroup/system.slice/signalbox.service',
    );
    expect(baseOf('/sys/fs/cgroup/user.slice')).toBe('/sys/fs/cgroup/user.slice');
  });

  it('are found in version 2 beside version 1, each controller in its own tree', () => {
    const mounts = [
      '30 29 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
      '31 29 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
      '32 29 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd',
      '33 29 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
      '34 29 0:31 / /elsewhere rw - tmpfs cgroup2 rw',
    ].join('\n');
    const own = '5:memory:/box\n4:cpu,cpuacct:/\n1:name=systemd:/init.scope\n0::/box\n';
    expect(
      hierarchiesOf(mounts, own).map(({ version, controllers, own }) => [version, controllers, own]),
    ).toEqual([
      [1, ['memory'], '/sys/fs/cgroup/memory/box'],
      [1, ['cpu', 'cpuacct'], '/sys/fs/cgroup/cpu,cpuacct'],
      [1, ['name=systemd'], '/sys/fs/cgroup/systemd/init.scope'],
      [2, [], '/sys/fs/cgroup/unified/box'],
    ]);
  });

  it('are found in a container that mounts a part of the tree, and left out if theirs is not in it', () => {
    const mounts = '29 23 0:26 /docker/a\\040b /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n';
    expect(hierarchiesOf(mounts, '0::/docker/a b/c\n')[0]?.own).toBe('/sys/fs/cgroup/c');
    expect(hierarchiesOf(mounts, '0::/docker/a bc\n')).toEqual([]);
    expect(hierarchiesOf('', '0::/\n')).toEqual([]);
  });
});

describe('a record of an attempt', () => {
  const host = createHost(pino({ level: 'silent' }), Date.now);
  const base = mkdtempSync(join(tmpdir(), 'signalbox-cgroups-'));
  const directory = new AttemptDirectory(join(base, 'process'));

  it('leads to no cgroup but its own (process/ownership-by-start-time)', () => {
    const own = CgroupEnclosure.pathIn('/anywhere', directory, 'of:demo/a/1');
    const other = CgroupEnclosure.pathIn('/anywhere', directory, 'of:demo/b/1');
    expect(own).not.toBe(other);
    const mount = hierarchies()[0]?.mount ?? '/sys/fs/cgroup';
    const kindFor = (cgroup: string | undefined) =>
      enclosureOf(host, directory, { marker: 'of:demo/a/1', containment: 'cgroup', cgroup }).containment;
    expect(kindFor(undefined)).toBe('search');
    expect(kindFor(other.replace('/anywhere', mount))).toBe('search');
    expect(kindFor(mount)).toBe('search');
    // Files in the place of a cgroup's are not read.
    const forged = CgroupEnclosure.pathIn(base, directory, 'of:demo/a/1');
    mkdirSync(forged);
    writeFileSync(join(forged, 'cgroup.events'), 'populated 0\n');
    expect(kindFor(forged)).toBe('search');
    expect(kindFor(`${mount}/x/../${own.slice('/anywhere/'.length)}`)).toBe('search');
    if (hierarchies().length > 0) expect(kindFor(own.replace('/anywhere', mount))).toBe('cgroup');
  });

  it('of an earlier version leads to a search', () => {
    expect(enclosureOf(host, directory, { marker: 'm' })).toMatchObject({ containment: 'search' });
  });
});

describe('the choice', () => {
  it('is the first way that the machine allows, with the reasons against better ones', () => {
    const { container, missing } = containerFor('auto');
    expect([...missing.map(({ kind }) => kind), container.kind]).toEqual(
      CONTAINMENTS.filter((kind) => kind !== 'pid_namespace').slice(0, missing.length + 1),
    );
    for (const { why } of missing) expect(why).toMatch(/\w{3}/);
  });

  it('is the one that the configuration names, or refused with the reason', () => {
    for (const kind of CONTAINMENTS) {
      try {
        expect(containerFor(kind).container.kind).toBe(kind);
      } catch (error) {
        expect(String(error)).toMatch(
          new RegExp(`containment: "${kind}" is not possible on this machine: .{10,}; leave it out`),
        );
      }
    }
  });
});
