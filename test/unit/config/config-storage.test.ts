import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/parse-config.ts';

const FILE = 'signalbox.config.yaml';

describe('nats.max_file_bytes', () => {
  it.each([
    ['nats: { max_file_bytes: 1000000 }', 'at least 67108864 bytes (64 MiB)'],
    [
      'nats: { max_file_bytes: 600000000 }\nagents: { far: { driver: remote } }',
      'at least 1152385024 bytes (1099 MiB with one remote agent)',
    ],
  ])('is refused with the minimum if Signalbox could not start with it: %j', (text, least) => {
    expect(() => parseConfig(text, FILE)).toThrow(
      `${FILE}:1:9 nats.max_file_bytes: is too small: expected ${least}`,
    );
  });

  it('is accepted at the minimum, and any for a server of your own, which it does not limit', () => {
    for (const text of [
      'nats: { max_file_bytes: 67108864 }',
      'nats: { max_file_bytes: 1, url: "nats://a:1" }',
    ])
      expect(() => parseConfig(text, FILE)).not.toThrow();
  });
});
