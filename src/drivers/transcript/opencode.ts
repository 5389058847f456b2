/** The transcript of OpenCode, from the events of `opencode run --format json`. */
import { z } from 'zod';
import type { CallState, TranscriptContent } from '../../contracts/transcript/schemas.ts';
import {
  callOf,
  countOf,
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
  timestamp: unknown,
  part: object({
    text: text,
    tool: text,
    callID: text,
    state: object({ status: text, input: unknown, output: unknown, title: text, error: unknown }),
    reason: text,
    cost: number,
    tokens: object({
      input: number,
      output: number,
      reasoning: number,
      cache: object({ read: number, write: number }),
    }),
  }),
  error: object({ name: text, data: object({ message: text }) }),
});
type OpencodeEvent = z.output<typeof eventSchema>;

export const readOpencode: TranscriptReader = (line) => {
  const event = eventSchema.safeParse(line).data;
  const contents = event ? contentsOf(event) : null;
  return contents?.map((content) => ({ ...content, ...timeIn(event?.timestamp) })) ?? null;
};

function contentsOf({ type, part, error }: OpencodeEvent): TranscriptContent[] | null {
  const texts = new Texts();
  switch (type) {
    case 'text':
      return [{ kind: 'message', role: 'agent', text: texts.said(part?.text), ...texts.rest }];
    case 'reasoning':
      return [{ kind: 'thought', text: texts.said(part?.text), ...texts.rest }];
    case 'tool_use':
      return ofCall(part);
    case 'step_start':
      return [];
    case 'step_finish':
      return ofStep(part);
    case 'error': {
      const reason = texts.detail(error?.data?.message ?? error?.name) ?? 'no reason given';
      return [{ kind: 'error', text: reason, ...texts.rest }];
    }
    default:
      return null;
  }
}

const STATES: Readonly<Record<string, CallState>> = {
  pending: 'pending',
  running: 'running',
  completed: 'completed',
  error: 'failed',
};

function ofCall(part: OpencodeEvent['part']): TranscriptContent[] {
  const call = callOf(part?.callID);
  if (call === undefined) return [];
  const texts = new Texts();
  const { status = '', input, output, title, error } = part?.state ?? {};
  return [
    {
      kind: 'tool_call',
      call,
      state: STATES[status],
      tool: nameOf(part?.tool),
      title: texts.short(title),
      input: texts.detail(input),
      output: texts.detail(output ?? error),
      ...texts.rest,
    },
  ];
}

/** Each step tells what it has used itself. */
function ofStep(part: OpencodeEvent['part']): TranscriptContent[] {
  const { tokens, cost, reason } = part ?? {};
  const usage: TranscriptContent = {
    kind: 'usage',
    input_tokens: countOf(tokens?.input, tokens?.cache?.read, tokens?.cache?.write),
    output_tokens: countOf(tokens?.output, tokens?.reasoning),
    cost_usd: cost,
  };
  return reason === 'stop' ? [usage, { kind: 'turn', ok: true }] : [usage];
}
