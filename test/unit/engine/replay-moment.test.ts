import { describe, expect, it } from 'vitest';
import { momentText, parseMoment } from '../../../src/engine/replay/moment.ts';

const NOW = Date.UTC(2025, 0, 31, 12);
const MINUTE = 60_000;

describe('a moment', () => {
  it.each([
    ['1', { kind: 'sequence', sequence: 1 }],
    [' 1234 ', { kind: 'sequence', sequence: 1_234 }],
    ['2025-01-31T11:00:00Z', { kind: 'time', time: NOW - 60 * MINUTE }],
    ['2025-01-31T12:00:00.250+01:00', { kind: 'time', time: NOW - 60 * MINUTE + 250 }],
    ['10m', { kind: 'time', time: NOW - 10 * MINUTE }],
    ['10m ago', { kind: 'time', time: NOW - 10 * MINUTE }],
    ['1.5 hours ago', { kind: 'time', time: NOW - 90 * MINUTE }],
    ['90s', { kind: 'time', time: NOW - 1.5 * MINUTE }],
    ['1 day ago', { kind: 'time', time: NOW - 1_440 * MINUTE }],
    ['2w', { kind: 'time', time: NOW - 20_160 * MINUTE }],
  ])('%j is understood', (text, moment) => {
    expect(parseMoment(text, NOW)).toEqual(moment);
  });

  it.each(['', '-1', '1e3', '10x ago', 'ago', '2025-01-31', '2025-01-31T11:00:00', '2025-02-30T11:00:00Z'])(
    '%j is refused',
    (text) => {
      expect(() => parseMoment(text, NOW)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    },
  );

  it('is shown as a sequence or a time', () => {
    expect(momentText({ kind: 'sequence', sequence: 7 })).toBe('event 7');
    expect(momentText(parseMoment('1h', NOW))).toBe('2025-01-31T11:00:00.000Z');
  });
});
