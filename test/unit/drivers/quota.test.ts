import { describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../../src/config/schema/agent-config.ts';
import { MAX_PARK_MS, type QuotaSettings, quotaSign } from '../../../src/drivers/quota.ts';

const HOUR = 3_600_000;
const ZONES = ['UTC', 'America/New_York', 'Asia/Kolkata'] as const;

const settings = (zone: string, pattern: RegExp | null = null): QuotaSettings => ({
  pattern,
  parkMs: HOUR,
  zone,
});

/** The moment until which a message of a tool parks; undefined if it does not. */
function until(line: string, now: string, zone = 'UTC'): string | undefined {
  const sign = quotaSign(settings(zone), { error: line, printed: [] }, Date.parse(now));
  return sign && new Date(sign.untilMs).toISOString();
}

// 12:00 UTC is 08:00 in New York (daylight saving) and 17:30 in Kolkata.
const NOW = '2026-04-16T12:00:00Z';

describe('a text of a used-up quota parks until the moment that it names', () => {
  it.each<[string, string, string, string]>([
    // The same moment in every zone.
    ["You've hit your limit · resets 9am (UTC)", ...same('2026-04-17T09:00:00.000Z')],
    ['You’ve hit your limit · resets 2pm (UTC)', ...same('2026-04-16T14:00:00.000Z')],
    ["You've hit your limit · resets 9:30pm (Europe/Berlin)", ...same('2026-04-16T19:30:00.000Z')],
    ['Claude AI usage limit reached|1776346200', ...same('2026-04-16T13:30:00.000Z')],
    ['Claude AI usage limit reached|1776346200000', ...same('2026-04-16T13:30:00.000Z')],
    ['try again in 2 hours 5 minutes', ...same('2026-04-16T14:05:00.000Z')],
    [
      "You've hit your usage limit. Upgrade to Pro or try again in 3 days 1 hour.",
      ...same('2026-04-19T13:00:00.000Z'),
    ],
    ['Please retry in 32.5s', ...same('2026-04-16T12:00:32.500Z')],
    ['Retry-After: 120', ...same('2026-04-16T12:02:00.000Z')],
    ['retry-after: Thu, 16 Apr 2026 13:00:00 GMT', ...same('2026-04-16T13:00:00.000Z')],
    ['rate_limit_error: this account resets at 2026-04-16T15:15:00Z', ...same('2026-04-16T15:15:00.000Z')],
    ['rate_limit_error, resets at 2026-04-16T15:15:00.5+02:00', ...same('2026-04-16T13:15:00.500Z')],
    [
      '[API Error: You exceeded your current quota, please check your plan and billing details. Please retry in 45s.',
      ...same('2026-04-16T12:00:45.000Z'),
    ],
    ['Weekly limit reached ∙ resets Mon 9am (UTC)', ...same('2026-04-20T09:00:00.000Z')],
    ['Rate limit exceeded; try again at 16:15 PDT', ...same('2026-04-16T23:15:00.000Z')],
    ['429 Too Many Requests, retry after 1h2m3s', ...same('2026-04-16T13:02:03.000Z')],
    [
      'Rate limit reached for model gpt-5 on tokens per min. Please try again in 1.2s.',
      ...same('2026-04-16T12:00:01.200Z'),
    ],
    // In the zone of the agent.
    [
      '5-hour limit reached ∙ resets 3pm',
      '2026-04-16T15:00:00.000Z',
      '2026-04-16T19:00:00.000Z',
      '2026-04-17T09:30:00.000Z',
    ],
    [
      'Try again at Apr 16th, 2026 3:15 PM.',
      ...(['2026-04-16T15:15:00.000Z', '2026-04-16T19:15:00.000Z'] as const),
      // Has passed in Kolkata (09:45 UTC): tried again after an hour.
      '2026-04-16T13:00:00.000Z',
    ],
    [
      "You've hit your limit, resets Apr 17 at 15:15",
      '2026-04-17T15:15:00.000Z',
      '2026-04-17T19:15:00.000Z',
      '2026-04-17T09:45:00.000Z',
    ],
    [
      'Usage limit reached. Resets tomorrow at 9am',
      '2026-04-17T09:00:00.000Z',
      '2026-04-17T13:00:00.000Z',
      '2026-04-17T03:30:00.000Z',
    ],
    [
      'Daily limit reached, resets at midnight',
      '2026-04-17T00:00:00.000Z',
      '2026-04-17T04:00:00.000Z',
      '2026-04-16T18:30:00.000Z',
    ],
    [
      'usage limit reached, resets at 2026-04-16T20:00:00',
      '2026-04-16T20:00:00.000Z',
      '2026-04-17T00:00:00.000Z',
      '2026-04-16T14:30:00.000Z',
    ],
  ])('%s', (line, ...expected) => {
    expect(ZONES.map((zone) => until(line, NOW, zone))).toEqual(expected);
  });

  it('over a change of daylight saving, and over the end of a year', () => {
    expect(until('Usage limit reached, resets 9am', '2026-10-31T20:00:00Z', 'America/New_York')).toBe(
      '2026-11-01T14:00:00.000Z',
    );
    expect(until('Usage limit reached, resets Jan 2, 9am', '2026-12-31T20:00:00Z')).toBe(
      '2027-01-02T09:00:00.000Z',
    );
  });

  it('at once if that time passed while the tool ended', () => {
    expect(until('5-hour limit reached ∙ resets 3pm', '2026-04-16T15:01:00Z')).toBe(
      '2026-04-16T15:01:00.000Z',
    );
  });

  it.each([
    'Claude AI usage limit reached|1999999999',
    "You've hit your limit",
    'API Error: 429 {"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your rate limit."}}',
    'Usage limit reached, resets at 2026-04-01T00:00:00Z',
    'Too many requests, retry after 99999999999 seconds',
    'Rate limit exceeded, retry after 5 moons',
  ])('for the configured time if it names none that is at most eight days away: %s', (line) => {
    expect(MAX_PARK_MS).toBe(8 * 24 * HOUR);
    expect(until(line, NOW)).toBe('2026-04-16T13:00:00.000Z');
  });

  it('also on the last lines of standard error', () => {
    const printed = [
      "warning: old config\n\u001b[31mYou've hit your limit · resets 9am (UTC)\u001b[0m\nbye\n",
    ];
    expect(quotaSign(settings('UTC'), { printed }, Date.parse(NOW))).toEqual({
      reason: "quota: You've hit your limit · resets 9am (UTC)",
      untilMs: Date.parse('2026-04-17T09:00:00Z'),
    });
  });
});

function same(moment: string): [string, string, string] {
  return [moment, moment, moment];
}

describe('a text that only mentions limits does not park', () => {
  it.each([
    'I added a rate limit to the API; it resets at 9am (UTC).',
    'The rate limit of 100 requests was exceeded in the test, as expected.',
    "error: unknown option '--rate-limit'",
    'usage: tool [--rate-limit N] [--retry-after SECONDS]',
    'FAIL tests/limits.test.ts > answers 429 Too Many Requests with Retry-After: 120',
    'The message "You\'ve hit your limit · resets 9am (UTC)" is shown to the user.',
    'src/limits.ts:12: TODO: usage limit reached|1776346200 is not parsed',
    'Retry in 5 minutes is what the handler does when the quota is exceeded',
    'Rate limit exceeded errors are now retried after 30 seconds',
    '- rate limit: resets at midnight, see docs/limits.md',
    'Too many requests are sent by the crawler: it should wait for 5 seconds',
    '{"type":"text","text":"You\'ve hit your limit · resets 9am (UTC)"}',
    'Limit reached: only the first 100 results are shown. Try again in 5 minutes for more',
    'Rate limit reached for 3 of 5 clients in the load test, retry after 30s',
    'Resource has been exhausted (no file handles left)',
    "You're out of usage examples? See docs/usage.md",
    'Try again in a browser, at 9am or later',
    'Review: the limiter must answer "Retry-After: 120", and clients retry in 2 hours',
    'Usage limit reached was shown twice; I made it reset at 9am (UTC)',
  ])('%s', (line) => {
    expect(quotaSign(settings('UTC'), { error: line, printed: [] }, Date.parse(NOW))).toBeUndefined();
    expect(quotaSign(settings('UTC'), { printed: [`${line}\n`, line] }, Date.parse(NOW))).toBeUndefined();
  });
});

describe('a text that is made to take long', () => {
  it.each([
    `try again in 5 minutes ${'AB '.repeat(300)}q`,
    `try again in 5 minutes ${'Ab/c '.repeat(190)}q`,
    `${'. '.repeat(400)}error`,
    `${'rate '.repeat(190)}limit`,
    `in ${'1 '.repeat(490)}x`,
    `in ${'9'.repeat(900)}`,
    `try again in ${'1s,'.repeat(300)}x`,
    `retry-after${'"'.repeat(900)}`,
    `${'error: '.repeat(140)}x`,
  ])('is read at once: %s', (line) => {
    expect(until(line, NOW)).toBeUndefined();
  });
});

describe("an operator's pattern", () => {
  const own = settings('UTC', /rate limit/i);

  it('counts wherever it stands: the last line that matches in the first text that has one', () => {
    const texts = {
      error: 'nothing here',
      printed: ['Rate Limit 1\r\n  a RATE LIMIT 2  \r\nbye\n', 'rate limit 3'],
    };
    expect(quotaSign(own, texts, 0)).toEqual({ reason: 'quota: a RATE LIMIT 2', untilMs: HOUR });
  });

  it('has a reason of at most 200 characters, never cut inside a character', () => {
    const reason = quotaSign(own, { printed: [`rate limit ${'😀'.repeat(300)}`] }, 0)?.reason ?? '';
    expect(reason).toBe(`quota: rate limit ${'😀'.repeat(94)}`);
  });

  it('that takes exponential time is stopped, and the known texts still count', () => {
    let isSlow = false;
    const lines = `${'a'.repeat(60)}!\nYou've hit your limit\n`;
    const sign = quotaSign(settings('UTC', /^(a+)+$/), { printed: [lines] }, 0, () => {
      isSlow = true;
    });
    expect(isSlow).toBe(true);
    expect(sign).toEqual({ reason: "quota: You've hit your limit", untilMs: HOUR });
  });

  const parse = (quota: unknown) => agentConfigSchema.safeParse({ driver: 'command', command: ['x'], quota });

  it('is optional, parks for an hour by default, and can be turned off', () => {
    expect(parse({ pattern: 'rate limit' }).data).toMatchObject({
      quota: { pattern: 'rate limit', park_seconds: 3_600 },
    });
    expect(parse({}).data).toMatchObject({ quota: { park_seconds: 3_600 } });
    expect(parse({ enabled: false }).data).toMatchObject({ quota: { enabled: false } });
  });

  it.each(['', '(', '[z-a]', 7])('has to be a regular expression: %j', (pattern) => {
    const [issue, ...more] = parse({ pattern }).error?.issues ?? [];
    expect(more).toEqual([]);
    expect(JSON.stringify(issue)).toMatch(/expected a regular expression of JavaScript, such as /);
  });
});
