import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../machines/index.ts';
import type { AttemptOutcome, StopReason } from '../../../src/contracts/tasks.ts';
import type { RunResult } from '../../../src/drivers/driver.ts';
import { type Cause, judge, withQuota } from '../../../src/engine/supervisor/outcome.ts';

function attempt(verdict: Verdict | null = null, stopReason: StopReason | null = null) {
  return { verdict, stopReason };
}

const CLEAN: RunResult = { kind: 'exited', code: 0 };

describe('the outcome of an attempt that was not stopped', () => {
  it.each<[string, RunResult, AttemptOutcome, RegExp | undefined]>([
    ['exit code 0', CLEAN, 'completed', undefined],
    ['a function that returned', { kind: 'returned' }, 'completed', undefined],
    ['another exit code', { kind: 'exited', code: 3 }, 'failed', /code 3/],
    ['a signal', { kind: 'signalled', signal: 'SIGSEGV' }, 'killed', /SIGSEGV/],
    ['a function that threw', { kind: 'threw', error: 'no disk' }, 'failed', /^no disk$/],
    ['is unknown', { kind: 'lost', reason: 'the machine went away' }, 'lost', /machine went away/],
  ])('%s', (_, result, outcome, error) => {
    expect(judge(result, attempt(), true)).toEqual({
      outcome,
      ...(error ? { error: expect.stringMatching(error) } : {}),
    });
  });

  it.each<[string, Verdict | null, boolean, AttemptOutcome]>([
    ['said nothing and left an output', null, true, 'completed'],
    ['said nothing and left no output', null, false, 'failed'],
    ['submitted', 'submitted', true, 'completed'],
    ['submitted without an output', 'submitted', false, 'failed'],
    ['reported a failure', 'failed', true, 'failed'],
    ['reported that it is blocked', 'blocked', false, 'completed'],
  ])('exit code 0 of an agent that %s', (_, verdict, hasOutput, outcome) => {
    expect(judge(CLEAN, attempt(verdict), hasOutput).outcome).toBe(outcome);
  });

  it('an exit code other than 0 counts more than the report of the agent', () => {
    expect(judge({ kind: 'exited', code: 1 }, attempt('submitted'), true).outcome).toBe('failed');
  });
});

describe('the error of an attempt', () => {
  const printed = 'ModuleNotFoundError: No module named torch';

  it.each<[string, RunResult, ReturnType<typeof attempt>, Cause, string]>([
    [
      'what it printed',
      { kind: 'exited', code: 7 },
      attempt(),
      { printed },
      `exited with code 7: ${printed}`,
    ],
    [
      'the failure that its result reports, before what it printed',
      { kind: 'exited', code: 1 },
      attempt(),
      { failure: 'the session is over', printed },
      'exited with code 1: the session is over',
    ],
    [
      'what it printed before a signal',
      { kind: 'signalled', signal: 'SIGKILL' },
      attempt(),
      { printed: 'out of memory' },
      'ended by SIGKILL, which Signalbox did not send: it printed "out of memory"',
    ],
    [
      'what it printed before it was stopped for its time',
      { kind: 'signalled', signal: 'SIGTERM' },
      attempt(null, 'timeout'),
      { printed: 'waiting for the lock' },
      'it exceeded its time limit: it printed "waiting for the lock"',
    ],
    [
      'the detail with which the agent reported it',
      CLEAN,
      attempt('failed'),
      { reported: 'the tests do not pass', printed },
      'the agent reported a failure: the tests do not pass',
    ],
  ])('has %s', (_, result, reported, cause, error) => {
    expect(judge(result, reported, true, cause).error).toBe(error);
  });
});

describe('the outcome of an attempt whose agent said that its quota is used up', () => {
  const sign = { reason: 'quota: resets 9am', untilMs: 1 };

  it.each<[AttemptOutcome, Verdict | null, AttemptOutcome]>([
    ['failed', null, 'quota'],
    ['failed', 'submitted', 'quota'],
    ['timed_out', null, 'quota'],
    ['failed', 'failed', 'failed'],
    ['completed', null, 'completed'],
    ['cancelled', null, 'cancelled'],
    ['killed', null, 'killed'],
    ['lost', null, 'lost'],
  ])('%s, and its report was %s: is %s', (outcome, verdict, expected) => {
    expect(withQuota({ outcome }, attempt(verdict), sign).outcome).toBe(expected);
    expect(withQuota({ outcome }, attempt(verdict)).outcome).toBe(outcome);
  });
});

describe('the outcome of an attempt that was stopped', () => {
  const results: RunResult[] = [
    CLEAN,
    { kind: 'signalled', signal: 'SIGKILL' },
    { kind: 'exited', code: 143 },
  ];

  it.each<[StopReason, AttemptOutcome]>([
    ['timeout', 'timed_out'],
    ['silence', 'timed_out'],
    ['cancelled', 'cancelled'],
    ['operator', 'killed'],
    ['shutdown', 'killed'],
  ])('for %s is %s, however its process went, and says why', (reason, outcome) => {
    for (const result of results) {
      const judgement = judge(result, attempt(null, reason), true);
      expect(judgement).toEqual({ outcome, error: expect.stringMatching(/\w+ \w+/) });
    }
  });

  it.each<[Verdict, boolean, AttemptOutcome]>([
    ['submitted', true, 'completed'],
    ['submitted', false, 'failed'],
    ['failed', true, 'failed'],
    ['blocked', false, 'completed'],
  ])(
    'for lingering, the word counts that it had given: %s, output %s, is %s',
    (verdict, hasOutput, outcome) => {
      for (const result of results) {
        expect(judge(result, attempt(verdict, 'lingering'), hasOutput).outcome).toBe(outcome);
      }
    },
  );
});
