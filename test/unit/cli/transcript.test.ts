import { describe, expect, it } from 'vitest';
import { printTranscript, type TranscriptOptions } from '../../../src/cli/task/transcript.ts';
import { SignalboxClient } from '../../../src/client/client.ts';
import type {
  ReadTranscript,
  TranscriptContent,
  TranscriptPage,
} from '../../../src/contracts/transcript/schemas.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

const ATTEMPT = { project: 'demo', task: 'a', attempt: 1 };

/** Answers with these parts, one after the other. */
async function printed(
  parts: readonly (readonly TranscriptContent[])[],
  options: TranscriptOptions = {},
  columns?: number,
): Promise<{ out: string; asked: Partial<ReadTranscript>[] }> {
  const asked: Partial<ReadTranscript>[] = [];
  const client = new (class extends SignalboxClient {
    override readTranscript = async (query: Partial<ReadTranscript>): Promise<TranscriptPage> => {
      asked.push(query);
      const index = asked.length - 1;
      const entries = (parts[index] ?? []).map((content, place) => ({ ...content, id: `${index}.${place}` }));
      const next = Math.min(asked.length, parts.length);
      return {
        format: 'acp',
        entries,
        start: index,
        next,
        has_earlier: false,
        complete: next === parts.length,
      };
    };
  })();
  const terminal = new RecordedTerminal(columns);
  await printTranscript(terminal, client, ATTEMPT, options);
  return { out: terminal.out, asked };
}

const say = (text: string): TranscriptContent => ({ kind: 'message', role: 'agent', text, part: true });

describe('a transcript on the command line', () => {
  it('shows the parts of a message as one text, and each call with its end', async () => {
    const { out, asked } = await printed([
      [
        { kind: 'session', session: 'ses-1', model: 'm' },
        { kind: 'message', role: 'user', text: 'Do it.' },
        { kind: 'thought', text: 'Hm.', part: true },
        say('I will '),
        say('look'),
      ],
      [
        say('.\u001b[31m'),
        {
          kind: 'tool_call',
          call: 'c',
          tool: 'Bash',
          title: 'List',
          input: '{"command":"ls"}',
          state: 'running',
        },
        { kind: 'permission', request: '1', question: 'q1', call: 'c', tool: 'Bash', title: 'List' },
        { kind: 'tool_call', call: 'c', output: 'a\nb' },
        {
          kind: 'tool_call',
          call: 'c',
          state: 'completed',
          output: Array.from({ length: 20 }, (_, n) => `${n}`).join('\n'),
        },
        {
          kind: 'plan',
          steps: [
            { text: 'Look', state: 'completed' },
            { text: 'Mend', state: 'running' },
          ],
        },
      ],
      [
        { kind: 'gap', bytes: 12 },
        { kind: 'raw', text: 'warning: x' },
        { kind: 'error', text: 'no model' },
        { kind: 'usage', context_tokens: 1_000, context_size: 200_000 },
        { kind: 'usage', cost_usd: 1.5 },
        { kind: 'turn', ok: false, reason: 'refusal' },
      ],
    ]);
    expect(asked).toEqual([
      { ...ATTEMPT, after: 0 },
      { ...ATTEMPT, after: 1 },
      { ...ATTEMPT, after: 2 },
    ]);
    const numbers = Array.from({ length: 12 }, (_, n) => `  ${n}`).join('\n');
    expect(out).toBe(`session ses-1, model m
user:
Do it.
thinking:
Hm.
I will look.␛[31m
$ Bash: List
  {"command":"ls"}
asks: Bash: List (question q1)
completed: Bash: List
${numbers}
  … 8 more lines (--json has all)
plan
  [x] Look
  […] Mend
(12 bytes of the output are not kept)
warning: x
error: no model
turn failed: refusal
1,000 of 200,000 tokens in view, $1.50
`);
  });

  it('is JSON for programs, one entry a line, and begins with the last lines if wanted', async () => {
    const { out, asked } = await printed([[say('one')], [say('two')]], { json: true, tail: 5 });
    expect(asked[0]).toEqual({ ...ATTEMPT, before: 'end', limit: 5 });
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { id: '0.0', text: 'one' },
      { id: '1.0', text: 'two' },
    ]);
  });

  it('has its styles on a terminal', async () => {
    const { out } = await printed([[{ kind: 'turn', ok: true }]], {}, 80);
    expect(out).toBe('<green>turn ended</green>\n');
  });
});
