import { describe, expect, it } from 'vitest';
import type { QuestionView } from '../../../projections/index.ts';
import { PERMISSION_OPTIONS } from '../../../src/contracts/questions.ts';
import { parkedAnswer } from '../../../src/engine/supervisor/questions/parked-answers.ts';

let sequence = 0;

function permission(id: string, attempt: number, changes: Partial<QuestionView> = {}): QuestionView {
  sequence += 1;
  return {
    project: 'demo',
    task: 't',
    attempt,
    agent: 'coder',
    id,
    spec: {
      kind: 'permission',
      message: 'May it?',
      about: { tool: 'Bash', input: { command: 'date' } },
      options: [...PERMISSION_OPTIONS],
    },
    askedAt: sequence,
    sequence,
    answer: null,
    parked: false,
    ...changes,
  };
}

const answer = {
  action: 'accepted',
  option: 'allow_once',
  by: 'user:ann',
  time: 1,
  sequence: 9,
  rule: null,
} as const;
const parked = permission('a', 1, { parked: true, answer });

describe('a permission that is asked again after its attempt was parked', () => {
  it('gets the answer that a person gave meanwhile, once', () => {
    const again = permission('b', 2);
    expect(parkedAnswer([parked, again], again)).toBe(answer);
    const third = permission('c', 2);
    expect(parkedAnswer([parked, again, third], third)).toBeUndefined();
  });

  it.each<[string, QuestionView, QuestionView]>([
    [
      'is for another input',
      parked,
      permission('b', 2, { spec: { ...parked.spec, about: { tool: 'Bash', input: {} } } }),
    ],
    ['was not parked', { ...parked, parked: false }, permission('b', 2)],
    ['expired', { ...parked, answer: { ...answer, action: 'expired' } }, permission('b', 2)],
    ['is of the same attempt', parked, permission('b', 1)],
  ])('is asked if the earlier one %s', (_why, earlier, view) => {
    expect(parkedAnswer([earlier, view], view)).toBeUndefined();
  });

  it('is asked if its text is another one', () => {
    const again = permission('b', 2, { spec: { ...parked.spec, message: 'May it delete the database?' } });
    expect(parkedAnswer([parked, again], again)).toBeUndefined();
  });
});
