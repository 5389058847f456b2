import { describe, expect, it } from 'vitest';
import type { TaskAnswer } from '../../../src/contracts/api/answers.ts';
import { factsOf } from '../../../src/contracts/api/task-facts.ts';
import { copiedFieldsOf } from '../../../src/contracts/copied-fields.ts';
import { redactedSpec } from '../../../src/contracts/events/redaction.ts';
import {
  ANSWER_FIELDS,
  answerFieldsOf,
  jobFieldsOf,
  REQUEST_FIELDS,
  STORED_FIELDS,
  storedFieldsOf,
} from '../../../src/contracts/task-fields.ts';
import { taskSpecSchema } from '../../../src/contracts/tasks.ts';

const SPEC = taskSpecSchema.parse({
  title: 'Review',
  description: 'All of it',
  priority: 5,
  max_attempts: 3,
  backoff: {},
  review: 'manual',
  outputs: 'required',
  params: { repo: 'x' },
  must_haves: ['a verdict'],
  labels: { team: 'core' },
  source: 'cli',
  parent: 'p',
  expires_at_ms: Date.UTC(2030, 0, 31),
});

describe('the fields of a task', () => {
  it('are all in the answer, except an id of its own, a delay and the name that outputs have', () => {
    const missing = Object.keys(REQUEST_FIELDS).filter((name) => !(name in ANSWER_FIELDS));
    expect(missing).toEqual(['outputs', 'delay_seconds', 'id']);
  });

  it('are all stored, except an id and a delay; times in milliseconds', () => {
    const missing = Object.keys(REQUEST_FIELDS).filter((name) => !(name in STORED_FIELDS));
    expect(missing).toEqual(['delay_seconds', 'not_before', 'expires_at', 'id']);
    expect(Object.keys(STORED_FIELDS)).toEqual(expect.arrayContaining(['not_before_ms', 'expires_at_ms']));
  });

  it('are answered with null, or an empty value, if they were not given', () => {
    expect(answerFieldsOf(SPEC)).toMatchObject({
      type: null,
      budget: null,
      depends_on: [],
      join: false,
      not_before: null,
      expires_at: '2030-01-31T00:00:00.000Z',
    });
  });

  it('are copied, but for what was about the one task alone', () => {
    const follow_ups = [
      { ...answerFieldsOf(SPEC), outputs_required: false, follow_ups: [], delay_seconds: 5 },
    ];
    const answer = { ...answerFieldsOf(SPEC), id: 'a', outputs_required: true, follow_ups, status: 'done' };
    const own = {
      title: 'Review',
      description: 'All of it',
      priority: 5,
      max_attempts: 3,
      backoff: SPEC.backoff,
      review: 'manual',
      params: { repo: 'x' },
      must_haves: ['a verdict'],
      labels: { team: 'core' },
    };
    expect(copiedFieldsOf(answer)).toEqual({
      ...own,
      outputs: 'required',
      follow_ups: [{ ...own, outputs: 'optional', delay_seconds: 5 }],
    });
  });

  it('go to a remote worker and back', () => {
    const job = jobFieldsOf(SPEC);
    expect(job).toEqual({ title: 'Review', description: 'All of it', priority: 5, mustHaves: ['a verdict'] });
    expect(storedFieldsOf(job)).toEqual({
      title: 'Review',
      description: 'All of it',
      priority: 5,
      must_haves: ['a verdict'],
    });
  });

  it('lose their texts in a redaction, and keep the rest (events/redaction-same-state)', () => {
    const { title, description, params, must_haves, labels, source, ...rest } = SPEC;
    expect(redactedSpec({ ...SPEC, follow_ups: [SPEC] })).toEqual({
      ...rest,
      title: '[redacted]',
      description: '[redacted]',
      follow_ups: [{ ...rest, title: '[redacted]', description: '[redacted]' }],
    });
  });
});

describe('the facts of a task', () => {
  it('have a label and a kind, and leave out fields without a value', () => {
    const task: TaskAnswer = {
      ...answerFieldsOf(SPEC),
      project: 'demo',
      id: 'a',
      status: 'pending',
      version: 1,
      outputs_required: true,
      follow_ups: [],
      claimed_by: null,
      attempt: 1,
      attempts_used: 1,
      open_attempt: null,
      last_outcome: null,
      usage: {
        attempts: 2,
        tokens: 1_200,
        input_tokens: 1_000,
        output_tokens: 200,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        cost_usd: 0.5,
        estimated_cost_usd: 0,
        attempts_without_tokens: 0,
        attempts_without_cost: 1,
      },
      reason: null,
      progress: null,
      due_at: null,
      output_count: 0,
      comment_count: 0,
      created_at: 'then',
      updated_at: 'then',
      finished_at: null,
      sequence: 1,
    };
    expect(factsOf(task)).toEqual([
      { label: 'Parameters', kind: 'json', values: ['{"repo":"x"}'] },
      { label: 'Must have', kind: 'list', values: ['a verdict'] },
      { label: 'Priority', kind: 'text', values: ['5'] },
      { label: 'Review', kind: 'text', values: ['manual'] },
      { label: 'Expires', kind: 'time', values: ['2030-01-31T00:00:00.000Z'] },
      { label: 'Source', kind: 'text', values: ['cli'] },
      { label: 'Labels', kind: 'pairs', values: ['team=core'] },
      { label: 'Parent', kind: 'tasks', values: ['p'] },
      { label: 'Attempts', kind: 'text', values: ['1 of 3'] },
      { label: 'Tokens', kind: 'text', values: ['1,200'] },
      { label: 'Cost', kind: 'text', values: ['at least $0.50'] },
      { label: 'Created', kind: 'time', values: ['then'] },
    ]);
  });
});
