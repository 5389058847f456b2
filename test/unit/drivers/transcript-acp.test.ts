import { describe, expect, it } from 'vitest';
import { TRANSCRIPT_FORMATS } from '../../../src/contracts/transcript/schemas.ts';
import { eventsIn, transcriptOf } from '../../support/process/transcripts.ts';

const update = (sessionUpdate: string, rest: object) => ({
  jsonrpc: '2.0',
  method: 'session/update',
  params: { sessionId: 's', update: { sessionUpdate, ...rest } },
});

describe('the transcript of an agent over ACP', () => {
  it('has chunks, thoughts, calls, plans, permissions and usage', () => {
    const content = { type: 'text', text: 'Hello' };
    const diff = { type: 'diff', path: 'a.ts', oldText: 'one', newText: 'two' };
    expect(
      eventsIn(
        'acp',
        { id: 'initialize', result: { protocolVersion: 1 } },
        { id: 'session', result: { sessionId: 'ses-1', models: { currentModelId: 'm' } } },
        update('user_message_chunk', { content }),
        update('agent_thought_chunk', { content, messageId: 't1' }),
        update('agent_message_chunk', { content }),
        update('agent_message_chunk', { content: { type: 'resource_link', name: 'a.png' } }),
        update('tool_call', {
          toolCallId: 'c',
          title: 'Edit a.ts',
          kind: 'edit',
          status: 'pending',
          rawInput: {},
          locations: [{ path: 'a.ts' }],
        }),
        {
          id: 0,
          method: 'session/request_permission',
          params: { toolCall: { toolCallId: 'c', title: 'Edit a.ts', rawInput: { a: 1 } }, options: [] },
        },
        update('tool_call_update', {
          toolCallId: 'c',
          status: 'completed',
          content: [diff, { type: 'content', content }],
          rawOutput: { ok: true },
        }),
        update('tool_call_update', { toolCallId: 'd', status: 'failed', rawOutput: { error: 'no' } }),
        update('plan', { entries: [{ content: 'Look', status: 'in_progress' }] }),
        update('usage_update', { used: 10, size: 100, cost: { amount: 0.5, currency: 'USD' } }),
        update('available_commands_update', { availableCommands: [] }),
        update('something_new', { x: 1 }),
        { id: 'prompt', result: { stopReason: 'end_turn', usage: { inputTokens: 5, outputTokens: 2 } } },
        { id: 'message:1', error: { code: 1, message: 'no model' } },
        { id: 'mode', error: { code: 1, message: 'no such mode' } },
        { id: 7, method: 'fs/read_text_file', params: {} },
      ),
    ).toEqual([
      { kind: 'session', session: 'ses-1', model: 'm' },
      { kind: 'message', role: 'user', text: 'Hello', part: true },
      { kind: 'thought', text: 'Hello', part: true, message: 't1' },
      { kind: 'message', role: 'agent', text: 'Hello', part: true },
      { kind: 'message', role: 'agent', text: '(resource link: a.png)', part: true },
      { kind: 'tool_call', call: 'c', state: 'pending', tool: 'edit', title: 'Edit a.ts', paths: ['a.ts'] },
      { kind: 'permission', request: '0', call: 'c', title: 'Edit a.ts', input: '{"a":1}' },
      {
        kind: 'tool_call',
        call: 'c',
        state: 'completed',
        output: 'Hello',
        diff: '--- a.ts\n+++ a.ts\n-one\n+two',
      },
      { kind: 'tool_call', call: 'd', state: 'failed', output: '{"error":"no"}' },
      { kind: 'plan', steps: [{ text: 'Look', state: 'running' }] },
      { kind: 'usage', context_tokens: 10, context_size: 100, cost_usd: 0.5 },
      { kind: 'raw', text: JSON.stringify(update('something_new', { x: 1 })) },
      { kind: 'usage', input_tokens: 5, output_tokens: 2 },
      { kind: 'turn', ok: true, reason: 'end_turn' },
      { kind: 'turn', ok: false, reason: 'no model' },
      { kind: 'error', text: 'no such mode' },
      { kind: 'raw', text: JSON.stringify({ id: 7, method: 'fs/read_text_file', params: {} }) },
    ]);
  });

  it('is bounded, whatever a line says', () => {
    const text = 'x'.repeat(150_000);
    const [long] = eventsIn('acp', update('agent_message_chunk', { content: { type: 'text', text } }));
    expect(long).toMatchObject({ cut: 50_000 });
    const [call] = eventsIn(
      'acp',
      update('tool_call', { toolCallId: 'c'.repeat(400), rawInput: { text }, title: text }),
    );
    expect(JSON.stringify(call).length).toBeLessThan(30_000);
    const deep = `{"method":"session/update","params":{"update":{"sessionUpdate":"tool_call","toolCallId":"c","rawInput":${'['.repeat(200_000)}${']'.repeat(200_000)}}}}`;
    expect(transcriptOf('acp', [deep])).toMatchObject([{ kind: 'tool_call', call: 'c' }]);
    const steps = Array.from({ length: 10_000 }, () => ({ content: 'x' }));
    const [plan] = eventsIn('acp', update('plan', { entries: steps }));
    expect(plan).toMatchObject({ steps: { length: 100 } });
  });
});

describe('the transcript of a hostile agent', () => {
  const values = [null, 1, -1, Number.MAX_VALUE, 'x', [], {}, [null], { type: 1 }, true];
  const keys = [
    'type',
    'message',
    'params',
    'item',
    'part',
    'result',
    'request',
    'usage',
    'stats',
    'error',
    'id',
    'method',
  ];

  it.each(TRANSCRIPT_FORMATS)('has an entry or none for every line, and never an error (%s)', (format) => {
    const types = [
      'assistant',
      'user',
      'result',
      'item.completed',
      'tool_use',
      'step_finish',
      'control_request',
      'system',
    ];
    const lines = [
      ...types.flatMap((type) =>
        keys.flatMap((key) => values.map((value) => JSON.stringify({ type, [key]: value }))),
      ),
      ...values.map((update) => JSON.stringify({ method: 'session/update', params: { update } })),
      '{"type":',
      '[]',
      '\0\0',
      'null',
    ];
    const entries = transcriptOf(format, lines);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  });
});
