/** The transcript of Gemini CLI, from its events (stream-json). */
import { z } from 'zod';
import type { TranscriptContent } from '../../contracts/transcript/schemas.ts';
import {
  callOf,
  countOf,
  flag,
  nameOf,
  number,
  object,
  Texts,
  type TranscriptReader,
  text,
  timeIn,
  unknown,
} from './reader.ts';

const eventSchema = z.object({
  type: z.string(),
  timestamp: text,
  session_id: text,
  model: text,
  role: text,
  content: text,
  delta: flag,
  tool_name: text,
  tool_id: text,
  parameters: unknown,
  status: text,
  output: unknown,
  error: object({ message: text }),
  message: text,
  stats: object({ input_tokens: number, output_tokens: number, total_tokens: number }),
});
type GeminiEvent = z.output<typeof eventSchema>;

export const readGemini: TranscriptReader = (line) => {
  const event = eventSchema.safeParse(line).data;
  const contents = event ? contentsOf(event) : null;
  return contents?.map((content) => ({ ...content, ...timeIn(event?.timestamp) })) ?? null;
};

function contentsOf(event: GeminiEvent): TranscriptContent[] | null {
  const texts = new Texts();
  switch (event.type) {
    case 'init':
      return [{ kind: 'session', session: nameOf(event.session_id), model: nameOf(event.model) }];
    case 'message': {
      const role = event.role === 'user' ? 'user' : 'agent';
      const part = event.delta === true || undefined;
      return [{ kind: 'message', role, text: texts.said(event.content), part, ...texts.rest }];
    }
    case 'tool_use':
    case 'tool_result':
      return ofCall(event);
    case 'error':
      return [{ kind: 'error', text: texts.detail(event.message) ?? 'no reason given', ...texts.rest }];
    case 'result':
      return ofResult(event);
    default:
      return null;
  }
}

function ofCall({
  type,
  tool_id,
  tool_name,
  parameters,
  status,
  output,
  error,
}: GeminiEvent): TranscriptContent[] {
  const call = callOf(tool_id);
  if (call === undefined) return [];
  const texts = new Texts();
  if (type === 'tool_use')
    return [
      {
        kind: 'tool_call',
        call,
        state: 'running',
        tool: nameOf(tool_name),
        input: texts.detail(parameters),
        ...texts.rest,
      },
    ];
  const state = status === 'error' ? 'failed' : 'completed';
  return [{ kind: 'tool_call', call, state, output: texts.detail(output ?? error?.message), ...texts.rest }];
}

function ofResult({ status, error, stats }: GeminiEvent): TranscriptContent[] {
  const texts = new Texts();
  // Its own number leaves the reasoning out, which the total counts.
  const all = countOf(stats?.total_tokens);
  const input = countOf(stats?.input_tokens);
  const output =
    all !== undefined && input !== undefined && all >= input ? all - input : countOf(stats?.output_tokens);
  return [
    { kind: 'usage', input_tokens: input, output_tokens: output },
    { kind: 'turn', ok: status === 'success', reason: texts.short(error?.message), ...texts.rest },
  ];
}
