import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AttemptTokens } from '../../../src/engine/supervisor/tokens.ts';

const tokens = new AttemptTokens('a secret');

describe('attempt tokens', () => {
  it('K1: are the same again for the same secret, and other for another', () => {
    expect(new AttemptTokens('a secret').tokenOf('p', 't', 1)).toBe(tokens.tokenOf('p', 't', 1));
    expect(new AttemptTokens('another').tokenOf('p', 't', 1)).not.toBe(tokens.tokenOf('p', 't', 1));
  });

  it('are safe in a header, a URL and a shell, and too long to guess', () => {
    expect(tokens.tokenOf('p', 't', 1)).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('K1: are logged as their hash only', () => {
    const token = tokens.tokenOf('p', 't', 1);
    expect(tokens.hashOf('p', 't', 1)).toBe(createHash('sha256').update(token).digest('hex'));
  });

  it('belong to one attempt of one task of one project', () => {
    const token = tokens.tokenOf('p', 't', 2);
    expect(tokens.attemptOf(token, 'p', 't', 3)).toBe(2);
    expect(tokens.attemptOf(token, 'p', 't', 2)).toBe(2);
    expect(tokens.attemptOf(token, 'p', 't', 1)).toBeNull();
    expect(tokens.attemptOf(token, 'p', 'u', 3)).toBeNull();
    expect(tokens.attemptOf(token, 'q', 't', 3)).toBeNull();
  });

  it.each(['', 'x', 'ü', '任务', `${tokens.tokenOf('p', 't', 1)}=`, tokens.tokenOf('p', 't', 1).slice(1)])(
    'are not mistaken for %j',
    (wrong) => {
      expect(tokens.attemptOf(wrong, 'p', 't', 5)).toBeNull();
    },
  );
});
