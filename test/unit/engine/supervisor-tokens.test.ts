import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AttemptTokens } from '../../../src/engine/supervisor/tokens.ts';

const tokens = new AttemptTokens('a secret');

describe('attempt tokens', () => {
  it('access/attempt-speaks-for-itself: are the same for the same secret, and different for another', () => {
    expect(new AttemptTokens('a secret').tokenOf({ project: 'p', task: 't', attempt: 1 })).toBe(
      tokens.tokenOf({ project: 'p', task: 't', attempt: 1 }),
    );
    expect(new AttemptTokens('another').tokenOf({ project: 'p', task: 't', attempt: 1 })).not.toBe(
      tokens.tokenOf({ project: 'p', task: 't', attempt: 1 }),
    );
  });

  it('are safe in a header, a URL and a shell, and too long to guess', () => {
    expect(tokens.tokenOf({ project: 'p', task: 't', attempt: 1 })).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('access/attempt-speaks-for-itself: are logged only as their hash', () => {
    const token = tokens.tokenOf({ project: 'p', task: 't', attempt: 1 });
    expect(tokens.hashOf({ project: 'p', task: 't', attempt: 1 })).toBe(
      createHash('sha256').update(token).digest('hex'),
    );
  });

  it('belong to one attempt of one task of one project', () => {
    const token = tokens.tokenOf({ project: 'p', task: 't', attempt: 2 });
    expect(tokens.attemptOf(token, { project: 'p', task: 't' }, 3)).toBe(2);
    expect(tokens.attemptOf(token, { project: 'p', task: 't' }, 2)).toBe(2);
    expect(tokens.attemptOf(token, { project: 'p', task: 't' }, 1)).toBeNull();
    expect(tokens.attemptOf(token, { project: 'p', task: 'u' }, 3)).toBeNull();
    expect(tokens.attemptOf(token, { project: 'q', task: 't' }, 3)).toBeNull();
  });

  it.each([
    '',
    'x',
    'ü',
    '任务',
    `${tokens.tokenOf({ project: 'p', task: 't', attempt: 1 })}=`,
    tokens.tokenOf({ project: 'p', task: 't', attempt: 1 }).slice(1),
  ])('are not mistaken for %j', (wrong) => {
    expect(tokens.attemptOf(wrong, { project: 'p', task: 't' }, 5)).toBeNull();
  });
});
