import { describe, expect, it } from 'vitest';
import { compareVersions, parseServerVersion } from '../../../src/daemon/embedded/program.ts';

describe('nats-server versions', () => {
  it.each([
    ['nats-server: v2.10.27', '2.10.27'],
    ['nats-server: v2.11.0-beta.1', '2.11.0'],
    ['nats-server: unknown', undefined],
  ])('reads %j', (output, expected) => {
    expect(parseServerVersion(output)).toBe(expected);
  });

  it('orders them by number, not by letter', () => {
    expect(['2.10.0', '2.9.10', '2.15.1', '2.9.9'].sort(compareVersions)).toEqual([
      '2.9.9',
      '2.9.10',
      '2.10.0',
      '2.15.1',
    ]);
    expect(compareVersions('2.10', '2.10.0')).toBe(0);
  });
});
