import { describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../../src/config/schema/agent-config.ts';
import { quotaSign } from '../../../src/drivers/quota.ts';

const NOW = Date.parse('2030-01-01T00:00:00Z');
const HOUR = 3_600_000;
const SETTINGS = { pattern: /rate limit|quota exceeded/i, parkMs: HOUR };

function untilOf(line: string): number | undefined {
  const sign = quotaSign(SETTINGS, [line], NOW);
  return sign && sign.untilMs - NOW;
}

describe('quotaSign', () => {
  it('finds nothing if no line matches', () => {
    expect(quotaSign(SETTINGS, ['', 'out of memory\nrate\nlimit'], NOW)).toBeUndefined();
  });

  it('takes the last line that matches in the first text that has one, in any case', () => {
    const texts = ['nothing here', 'Rate Limit 1\r\n  RATE LIMIT 2  \r\nbye\n', 'rate limit 3'];
    expect(quotaSign(SETTINGS, texts, NOW)).toEqual({ reason: 'quota: RATE LIMIT 2', untilMs: NOW + HOUR });
  });

  it('cuts the reason to 200 characters, never inside a character', () => {
    const reason = quotaSign(SETTINGS, [`rate limit ${'😀'.repeat(300)}`], NOW)?.reason ?? '';
    expect(reason).toBe(`quota: rate limit ${'😀'.repeat(189)}`);
  });

  it.each([
    ['rate limit, retry after 1 second', 1_000],
    ['rate limit: please retry after 2.5 seconds.', 2_500],
    ['429 rate limit (Retry-After: 30s)', 30_000],
    ['quota exceeded; retry after 5 minutes', 300_000],
    ['quota exceeded; retry after 1 min', 60_000],
    ['quota exceeded, resets at 2030-01-01T02:30:00Z', 2.5 * HOUR],
    ['quota exceeded, resets at 2030-01-01T02:00:00.5+01:00.', HOUR + 500],
  ])('waits as long as the line says: %s', (line, ms) => {
    expect(untilOf(line)).toBe(ms);
  });

  it.each([
    'rate limit',
    'rate limit, retry after 0 seconds',
    'rate limit, retry after 99999999999 seconds',
    'rate limit, retry after 5 moons',
    'rate limit, resets at noon',
    'rate limit, resets at 2029-12-31T23:00:00Z',
    'rate limit, resets at 2030-13-77T00:00:00Z',
    'rate limit, resets at 2030-01-01T02:00:00',
    'retry after 5 seconds\nrate limit',
  ])('waits as long as configured if the line names no plausible time: %s', (line) => {
    expect(untilOf(line)).toBe(HOUR);
  });
});

describe('the quota of an agent in the configuration', () => {
  const parse = (quota: object) => agentConfigSchema.safeParse({ driver: 'command', command: ['x'], quota });

  it('parks for an hour by default', () => {
    expect(parse({ pattern: 'rate limit' }).data).toMatchObject({
      quota: { pattern: 'rate limit', park_seconds: 3_600 },
    });
  });

  it.each(['', '(', '[z-a]', 7])('requires a regular expression: %j', (pattern) => {
    const [issue, ...more] = parse({ pattern }).error?.issues ?? [];
    expect(more).toEqual([]);
    expect(issue?.path).toEqual(['quota', 'pattern']);
    expect(issue?.message).toMatch(/^expected a regular expression of JavaScript, such as /);
  });
});
