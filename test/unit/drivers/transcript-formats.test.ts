import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TRANSCRIPT_FORMATS } from '../../../src/contracts/transcript/schemas.ts';
import { eventsIn, transcriptOf } from '../../support/process/transcripts.ts';

/** What a tool has really printed. */
function recorded(tool: string, file: string): object[] {
  const text = readFileSync(new URL(`../../fixtures/drivers/${tool}/${file}`, import.meta.url), 'utf8');
  const format = TRANSCRIPT_FORMATS.find((each) => each === tool) ?? 'text';
  return transcriptOf(format, text.trimEnd().split('\n')).map(({ id: _id, ...entry }) => entry);
}

describe('the transcript of Claude Code', () => {
  it('has its messages, calls, permissions, usage and turns', () => {
    const entries = recorded('claude', 'stream.jsonl');
    expect(entries.filter((entry) => 'kind' in entry && entry.kind === 'raw')).toEqual([]);
    expect(entries.slice(0, 7)).toMatchObject([
      { kind: 'session', session: '0b9f3c1e-5a7d-4e2f-8c6b-1d2e3f4a5b6c', model: 'claude-opus-5-5' },
      { kind: 'message', role: 'user', time: '2026-11-29T10:45:20.080Z' },
      { kind: 'tool_call', call: 'toolu_0_rj0d3tuxlfg', state: 'running', tool: 'Bash' },
      { kind: 'usage', context_tokens: 10 },
      { kind: 'permission', call: 'toolu_0_rj0d3tuxlfg', request: '74939319-8498-4d74-86a6-5c468d8cb8f9' },
      { kind: 'tool_call', state: 'completed', output: '(Bash completed with no output)' },
      { kind: 'message', role: 'agent', text: 'The result was: (Bash completed with no output)' },
    ]);
    expect(entries).toContainEqual(expect.objectContaining({ state: 'failed', output: 'Keep it.' }));
    expect(entries.at(-1)).toEqual({ kind: 'turn', ok: true });
    expect(entries.at(-2)).toMatchObject({ kind: 'usage', input_tokens: 20, output_tokens: 10 });
  });

  it('shows thoughts, changed files, plans, the work of other agents and what went wrong', () => {
    const assistant = (...content: object[]) => ({ type: 'assistant', message: { content } });
    const edit = { file_path: 'a.ts', old_string: 'one', new_string: 'two' };
    const todos = [{ content: 'Look', status: 'completed' }, { content: 'Mend', status: 'in_progress' }, {}];
    expect(
      eventsIn(
        'claude',
        assistant(
          { type: 'thinking', thinking: 'Hm.' },
          { type: 'tool_use', id: 'c', name: 'Edit', input: edit },
        ),
        assistant({ type: 'tool_use', id: 'd', name: 'TodoWrite', input: { todos } }),
        { ...assistant({ type: 'text', text: 'Found it.' }), parent_tool_use_id: 'task' },
        {
          type: 'user',
          message: {
            content: [
              {
                type: 'tool_result',
                tool_use_id: 'c',
                content: [{ type: 'text', text: 'ok' }, { type: 'image' }],
              },
            ],
          },
        },
        {
          type: 'result',
          subtype: 'error_during_execution',
          is_error: true,
          errors: ['No conversation found'],
        },
        { type: 'system', subtype: 'compact_boundary' },
      ),
    ).toMatchObject([
      { kind: 'thought', text: 'Hm.' },
      { kind: 'tool_call', diff: '--- a.ts\n+++ a.ts\n-one\n+two' },
      { kind: 'tool_call', tool: 'TodoWrite' },
      {
        kind: 'plan',
        steps: [
          { text: 'Look', state: 'completed' },
          { text: 'Mend', state: 'running' },
        ],
      },
      { kind: 'message', text: 'Found it.', parent: 'task' },
      { kind: 'tool_call', call: 'c', output: 'ok\n(image)' },
      { kind: 'usage' },
      { kind: 'turn', ok: false, reason: 'No conversation found' },
      { kind: 'raw', text: '{"type":"system","subtype":"compact_boundary"}' },
    ]);
  });
});

describe('the transcript of other tools', () => {
  it('has what codex says and does', () => {
    expect(recorded('codex', 'success.jsonl')).toEqual([
      { kind: 'session', session: '0199a213-81c0-7800-8aa1-bbab2a035a53' },
      { kind: 'tool_call', call: 'item_0', state: 'running', tool: 'shell', title: 'ls' },
      {
        kind: 'tool_call',
        call: 'item_0',
        state: 'completed',
        tool: 'shell',
        title: 'ls',
        output: 'parse.ts\n',
      },
      { kind: 'error', text: 'a model without metadata: using defaults' },
      { kind: 'message', role: 'agent', text: 'Looking at parse.ts first.' },
      { kind: 'message', role: 'agent', text: 'The parser accepts an empty list; see parse.ts:41.' },
      { kind: 'usage', input_tokens: 1500, output_tokens: 90 },
      { kind: 'turn', ok: true },
    ]);
    const item = (type: string, rest: object, event = 'item.completed') => ({
      type: event,
      item: { id: 'i', type, ...rest },
    });
    expect(
      eventsIn(
        'codex',
        item('reasoning', { text: 'Hm.' }),
        item('agent_message', { text: 'Ha' }, 'item.updated'),
        item('file_change', { changes: [{ path: 'a.ts', kind: 'update' }], status: 'completed' }),
        item('mcp_tool_call', {
          server: 'signalbox',
          tool: 'task_output',
          arguments: { a: 1 },
          error: { message: 'no' },
          status: 'failed',
        }),
        item('command_execution', { command: 'rm', status: 'declined' }),
        item('todo_list', { items: [{ text: 'Look', completed: true }, { text: 'Mend' }] }, 'item.started'),
        { type: 'turn.failed', error: { message: 'no credit' } },
      ),
    ).toMatchObject([
      { kind: 'thought', text: 'Hm.' },
      { tool: 'edit', title: 'update a.ts', paths: ['a.ts'] },
      { tool: 'signalbox.task_output', state: 'failed', input: '{"a":1}', output: '{"message":"no"}' },
      { tool: 'shell', state: 'failed' },
      { kind: 'plan', steps: [{ state: 'completed' }, { state: 'pending' }] },
      { kind: 'turn', ok: false, reason: 'no credit' },
    ]);
  });

  it('has what opencode says and does', () => {
    expect(recorded('opencode', 'success.jsonl')).toMatchObject([
      { kind: 'message', text: 'Looking first. ', time: '2026-11-20T23:15:27.507Z' },
      { kind: 'usage', input_tokens: 700, cost_usd: 0.001 },
      { kind: 'message' },
      { kind: 'usage', output_tokens: 60 },
      { kind: 'turn', ok: true },
    ]);
    const state = { status: 'error', input: { command: 'ls' }, title: 'List', error: 'not found' };
    expect(eventsIn('opencode', { type: 'tool_use', part: { tool: 'bash', callID: 'c', state } })).toEqual([
      {
        kind: 'tool_call',
        call: 'c',
        state: 'failed',
        tool: 'bash',
        title: 'List',
        input: '{"command":"ls"}',
        output: 'not found',
      },
    ]);
  });

  it('has what gemini says and does', () => {
    expect(recorded('gemini', 'success.jsonl')).toMatchObject([
      { kind: 'session', model: 'm' },
      { kind: 'message', role: 'user', text: 'Review the parser' },
      { kind: 'message', role: 'agent', part: true },
      { kind: 'message', role: 'agent', part: true },
      { kind: 'usage', input_tokens: 1200, output_tokens: 90 },
      { kind: 'turn', ok: true },
    ]);
    expect(recorded('gemini', 'error.jsonl').at(-1)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('400'),
    });
    expect(
      eventsIn(
        'gemini',
        { type: 'tool_use', tool_name: 'shell', tool_id: 't', parameters: { command: 'ls' } },
        { type: 'tool_result', tool_id: 't', status: 'error', error: { message: 'no' } },
      ),
    ).toEqual([
      { kind: 'tool_call', call: 't', state: 'running', tool: 'shell', input: '{"command":"ls"}' },
      { kind: 'tool_call', call: 't', state: 'failed', output: 'no' },
    ]);
  });

  it('is every line of any other program, without control sequences', () => {
    expect(transcriptOf('text', ['one', '', '\u001b[31mred\u001b[0m {"type":"text"}\r'])).toEqual([
      { kind: 'raw', id: '0.0', text: 'one' },
      { kind: 'raw', id: '4.0', text: '' },
      { kind: 'raw', id: '5.0', text: 'red {"type":"text"}' },
    ]);
  });
});
