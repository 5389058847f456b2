import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noteFormat } from '../../../src/drivers/transcript/format-file.ts';
import { proofOf } from '../../../src/drivers/transcript/transcript.ts';
import { readTranscripts } from '../../../src/features/audit/report/transcripts.ts';

let attempts: string;
let own: string;
let output: string;
beforeEach(async () => {
  attempts = mkdtempSync(join(tmpdir(), 'signalbox-report-'));
  own = join(attempts, 'demo', 'a', '1');
  output = join(own, 'process', 'stdout.log');
  mkdirSync(join(own, 'process'), { recursive: true });
  await noteFormat(own, 'opencode');
});
afterEach(() => rmSync(attempts, { recursive: true, force: true }));

const ref = { project: 'demo', task: 'a', attempt: 1 };
const part = (type: string, part: object): string => `${JSON.stringify({ type, part })}\n`;

describe('the transcript in a report', () => {
  it('is read from the recorded output, and compared with the hash in the log', async () => {
    const state = { status: 'completed', input: { command: 'ls' }, output: 'a.txt' };
    writeFileSync(
      output,
      part('text', { text: 'I look.' }) +
        part('tool_use', { tool: 'bash', callID: 'c', state }) +
        part('step_finish', { reason: 'stop' }),
    );
    const transcript = await proofOf(own);
    expect(transcript).toMatchObject({ format: 'opencode', lines: 3, dropped_bytes: 0 });
    const report = async () => (await readTranscripts(attempts, [{ ...ref, transcript }])).get(1);
    expect(await report()).toEqual({
      state: 'proved',
      text: 'I look.\n$ bash (completed)\n  {"command":"ls"}\n  a.txt\nturn ended',
      omitted: 0,
    });
    appendFileSync(output, part('text', { text: 'forged' }));
    expect(await report()).toMatchObject({ state: 'different', text: expect.stringContaining('forged') });
  });

  it('has the newest part of a long output, and is not proved before the end', async () => {
    const line = part('text', { text: 'x'.repeat(1_000) });
    writeFileSync(output, line.repeat(1_000));
    const found = await readTranscripts(attempts, [
      { ...ref, transcript: null },
      { ...ref, attempt: 2, transcript: null },
    ]);
    expect([...found.keys()]).toEqual([1]);
    expect(found.get(1)?.state).toBe('open');
    expect(found.get(1)?.omitted).toBeGreaterThan(400_000);
    expect((found.get(1)?.omitted ?? 1) % line.length).toBe(0);
  });
});
