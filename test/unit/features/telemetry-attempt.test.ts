import { describe, expect, it } from 'vitest';
import type { EventOf } from '../../../src/contracts/events/events.ts';
import { taskTrace } from '../../../src/engine/runtime/task-trace.ts';
import { AttemptSpanBuilder } from '../../../src/features/telemetry/attempt-span.ts';
import { exportRequest, type Span } from '../../../src/features/telemetry/span.ts';

const ADDRESS = { project: 'demo', task: 'a', attempt: 2, agent: 'coder' } as const;
const TRACE = taskTrace({ project: 'demo', id: 'a', spec: {}, createdAt: 1_000 }, null);

function spanOf(
  started: Partial<EventOf<'attempt.started'>> | null,
  ended: Partial<EventOf<'attempt.ended'>>,
): Span {
  const builder = new AttemptSpanBuilder(ADDRESS.agent, 1_000, TRACE.spanId, 250);
  const start = { type: 'attempt.started', driver: 'claude', host: 'box', deadline_ms: 9_000 } as const;
  if (started) builder.add({ ...start, ...ADDRESS, ...started }, 1_100);
  const end = { type: 'attempt.ended', outcome: 'completed', retry_at_ms: null } as const;
  return builder.build({ ...end, ...ADDRESS, ...ended }, 5_000, TRACE);
}

describe('the span of an attempt', () => {
  it('has the GenAI attributes: provider, conversation, tokens, error', () => {
    const usage = {
      model: 'opus-5',
      input_tokens: 1_200,
      output_tokens: 340,
      cache_read_tokens: 800,
      cache_write_tokens: 100,
      cost_usd: 0.012,
      cost_source: 'estimated',
    } as const;
    const { attributes, hasFailed } = spanOf(
      { session: 's-1', pid: 7 },
      { outcome: 'timed_out', usage, exit_code: 143, cpu_ms: 80, peak_memory_bytes: 1_024, error: 'secret' },
    );
    expect(hasFailed).toBe(true);
    expect(JSON.parse(JSON.stringify(attributes))).toEqual({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.agent.id': 'coder',
      'gen_ai.agent.name': 'coder',
      'gen_ai.conversation.id': 's-1',
      'gen_ai.request.model': 'opus-5',
      'gen_ai.usage.input_tokens': 1_200,
      'gen_ai.usage.output_tokens': 340,
      'gen_ai.usage.cache_read.input_tokens': 800,
      'gen_ai.usage.cache_creation.input_tokens': 100,
      'signalbox.usage.cost_usd': 0.012,
      'signalbox.usage.cost_source': 'estimated',
      'error.type': 'timed_out',
      'signalbox.project': 'demo',
      'signalbox.task.id': 'a',
      'signalbox.attempt': 2,
      'signalbox.attempt.outcome': 'timed_out',
      'signalbox.attempt.wait_ms': 250,
      'signalbox.driver': 'claude',
      'signalbox.process.cpu_ms': 80,
      'signalbox.process.peak_memory_bytes': 1_024,
      'host.name': 'box',
      'process.pid': 7,
      'process.exit.code': 143,
    });
  });

  it('has what was asked and how it was answered as events, without their texts', () => {
    const builder = new AttemptSpanBuilder(ADDRESS.agent, 1_000, TRACE.spanId, undefined);
    const spec = { kind: 'choice', message: 'secret', options: [{ id: 'yes', label: 'secret' }] } as const;
    const asked = {
      type: 'attempt.question_asked',
      question: 'q',
      spec: { ...spec, options: [...spec.options] },
    };
    builder.add({ ...ADDRESS, ...asked, type: 'attempt.question_asked', asked_at_ms: 1_200 }, 1_200);
    const { project, task, attempt } = ADDRESS;
    const wait = { project, task, attempt };
    builder.add({ ...wait, type: 'attempt.wait_ended', reason: 'nothing asks', deadline_ms: 9_000 }, 1_400);
    builder.add({ ...wait, type: 'attempt.wait_resumed', waiting_since_ms: 1_500 }, 1_500);
    const answered = {
      project,
      task,
      attempt,
      question: 'q',
      action: 'accepted',
      comment: 'secret',
    } as const;
    builder.add({ type: 'attempt.question_answered', ...answered }, 1_700);
    const ended = { type: 'attempt.ended', outcome: 'completed', retry_at_ms: null } as const;
    const { events } = builder.build({ ...ended, ...ADDRESS }, 5_000, TRACE);
    expect(events).toMatchObject([
      {
        name: 'signalbox.attempt.question_asked',
        time: 1_200,
        attributes: { 'signalbox.question.id': 'q', 'signalbox.question.kind': 'choice' },
      },
      { name: 'signalbox.attempt.wait_ended', time: 1_400 },
      { name: 'signalbox.attempt.wait_resumed', time: 1_500 },
      {
        name: 'signalbox.attempt.question_answered',
        attributes: { 'signalbox.question.action': 'accepted' },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  it.each([
    ['codex', 'openai'],
    ['gemini', 'gcp.gemini'],
    ['openclaw', 'openclaw'],
    ['toString', 'toString'],
  ])('by %s names the provider %s', (driver, provider) => {
    expect(spanOf({ driver }, {}).attributes['gen_ai.provider.name']).toBe(provider);
  });

  it.each([
    ['of the start, if the end has an empty one', 's-1', '', 's-1'],
    ['of the end', undefined, 's-2', 's-2'],
    ['of the end, if it differs from the start', 's-1', 's-2', 's-2'],
  ])('has the session %s', (_, atStart, atEnd, session) => {
    const { attributes } = spanOf({ session: atStart }, { session: atEnd });
    expect(attributes['gen_ai.conversation.id']).toBe(session);
  });

  it('begins with the claim and has no driver, if the attempt never started', () => {
    const span = spanOf(null, { outcome: 'spawn_failed' });
    expect(span).toMatchObject({ start: 1_000, end: 5_000, hasFailed: true, events: [] });
    expect(span.attributes).toMatchObject({
      'gen_ai.provider.name': 'unknown',
      'error.type': 'spawn_failed',
    });
  });

  it('has at most 128 events, and counts the dropped ones', () => {
    const builder = new AttemptSpanBuilder(ADDRESS.agent, 1_000, TRACE.spanId, undefined);
    for (let count = 0; count < 100; count++) {
      builder.add({ type: 'attempt.suspected', ...ADDRESS, reason: 'silence' }, 2_000);
      builder.add({ type: 'attempt.recovered', ...ADDRESS, evidence: 'output' }, 2_001);
    }
    const end = { type: 'attempt.ended', outcome: 'completed', retry_at_ms: null } as const;
    const span = builder.build({ ...end, ...ADDRESS }, 5_000, TRACE);
    expect([span.events.length, span.droppedEvents]).toEqual([128, 72]);
  });

  it('never ends before it begins, even if the clock was set back', () => {
    const span = { ...spanOf({}, {}), end: 10 };
    const [written] = JSON.parse(exportRequest({}, [span])).resourceSpans[0].scopeSpans[0].spans;
    expect(written.endTimeUnixNano).toBe(written.startTimeUnixNano);
  });
});
