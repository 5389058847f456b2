import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TranscriptFormat } from '../../../src/contracts/transcript/schemas.ts';
import { refusedReportIn } from '../../../src/drivers/transcript/refused-report.ts';
import { RecordedOutput } from '../../../src/process/files/recorded-output.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signalbox-refused-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function refused(format: TranscriptFormat, ...events: readonly object[]): Promise<string | undefined> {
  const path = join(directory, 'stdout.log');
  writeFileSync(path, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const output = await RecordedOutput.open(path);
  return refusedReportIn(output, format).finally(() => output.close());
}

const acp = (rest: object) => ({
  method: 'session/update',
  params: { update: { sessionUpdate: 'tool_call_update', ...rest } },
});
const claude = (name: string) => ({
  type: 'assistant',
  message: { content: [{ type: 'tool_use', id: 'c1', name, input: {} }] },
});
const result = (isError: boolean) => ({
  type: 'user',
  message: {
    content: [{ type: 'tool_result', tool_use_id: 'c1', is_error: isError, content: 'Permission denied' }],
  },
});

describe('a report to Signalbox that was refused', () => {
  it.each<[TranscriptFormat, object[]]>([
    ['claude', [claude('mcp__signalbox__task_output'), { type: 'system' }, result(true)]],
    [
      'codex',
      [
        {
          type: 'item.completed',
          item: {
            id: 'i',
            type: 'mcp_tool_call',
            server: 'signalbox',
            tool: 'task_status',
            status: 'failed',
            error: 'Permission denied',
          },
        },
      ],
    ],
    [
      'gemini',
      [
        { type: 'tool_use', tool_name: 'mcp_signalbox_task_output', tool_id: 't' },
        { type: 'tool_result', tool_id: 't', status: 'error', output: 'Permission denied' },
      ],
    ],
    [
      'opencode',
      [
        {
          type: 'tool_use',
          part: {
            tool: 'signalbox_task_output',
            callID: 'c',
            state: { status: 'error', error: 'Permission denied' },
          },
        },
      ],
    ],
    [
      'acp',
      [
        acp({ toolCallId: 'c', title: 'task_output (signalbox MCP Server)', kind: 'other' }),
        acp({ toolCallId: 'c', status: 'failed', rawOutput: 'Permission denied' }),
      ],
    ],
  ])('is found (%s)', async (format, events) => {
    expect(await refused(format, ...events)).toBe('Permission denied');
  });

  it('is none if another one was accepted afterwards, or if it was another tool', async () => {
    const name = 'mcp__signalbox__task_output';
    expect(await refused('claude', claude(name), result(true), claude(name), result(false))).toBeUndefined();
    expect(await refused('claude', claude(name), result(false), claude(name), result(true))).toBe(
      'Permission denied',
    );
    for (const other of ['mcp__signalbox__task_get', 'mcp__signalbox_evil__task_output', 'Bash'])
      expect(await refused('claude', claude(other), result(true))).toBeUndefined();
    const shell = { toolCallId: 'c', title: 'echo signalbox_task_output', kind: 'execute', status: 'failed' };
    expect(await refused('acp', acp(shell))).toBeUndefined();
    expect(await refused('text', claude(name), result(true))).toBeUndefined();
    expect(await refused('claude', claude(name))).toBeUndefined();
  });
});
