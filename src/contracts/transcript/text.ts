/** Transcripts in words, for the command line, pages and reports. */
import { unreachable } from '../errors.ts';
import { dollarText } from '../usage-text.ts';
import type { CallEntry, TranscriptBlock, UsageEntry } from './blocks.ts';
import type { CALL_STATES, STEP_STATES } from './schemas.ts';

export const STEP_MARKS: Readonly<Record<(typeof STEP_STATES)[number], string>> = {
  pending: '[ ]',
  running: '[…]',
  completed: '[x]',
};

/** As in `Bash: List the files`. */
export function callText({ tool, title, call }: Pick<CallEntry, 'tool' | 'title' | 'call'>): string {
  if (tool === undefined) return title ?? call;
  return title === undefined || title === tool ? tool : `${tool}: ${title}`;
}

/** The state of a call; one that tells none has been seen and nothing more. */
export function callStateText(state: (typeof CALL_STATES)[number] | undefined): string {
  return state ?? 'pending';
}

/** As in `12,000 of 200,000 tokens in view, 300 written, $0.12`; empty if nothing is known. */
export function transcriptUsageText(usage: UsageEntry): string {
  const number = (value: number): string => value.toLocaleString('en');
  const { context_tokens, context_size, input_tokens, output_tokens, cost_usd } = usage;
  const size = context_size === undefined ? '' : ` of ${number(context_size)}`;
  return [
    ...(context_tokens === undefined ? [] : [`${number(context_tokens)}${size} tokens in view`]),
    ...(input_tokens === undefined ? [] : [`${number(input_tokens)} tokens read`]),
    ...(output_tokens === undefined ? [] : [`${number(output_tokens)} written`]),
    ...(cost_usd === undefined ? [] : [dollarText(cost_usd)]),
  ].join(', ');
}

/** A block as plain text, for reports. */
export function blockText(block: TranscriptBlock): string {
  const indented = (text: string | undefined): string[] =>
    text === undefined ? [] : text.split('\n').map((line) => `  ${line}`);
  switch (block.kind) {
    case 'message':
      return block.role === 'user' ? `to the agent: ${block.text}` : block.text;
    case 'thought':
      return ['thinking:', ...indented(block.text)].join('\n');
    case 'tool_call': {
      const head = `$ ${callText(block)} (${callStateText(block.state)})`;
      return [head, ...indented(block.diff ?? block.input), ...indented(block.output)].join('\n');
    }
    case 'plan':
      return ['plan:', ...block.steps.map(({ text, state }) => `  ${STEP_MARKS[state]} ${text}`)].join('\n');
    case 'permission': {
      const question = block.question === undefined ? '' : ` (question ${block.question})`;
      const what = callText({ tool: block.tool, title: block.title, call: 'something' });
      return [`asks: ${what}${question}`, ...indented(block.input)].join('\n');
    }
    case 'session':
      return sessionText(block);
    case 'turn':
      return turnText(block);
    case 'error':
      return `error: ${block.text}`;
    case 'raw':
      return block.text;
    case 'gap':
      return gapText(block);
    default:
      return unreachable(block, 'blockText');
  }
}

type Of<Kind extends TranscriptBlock['kind']> = Extract<TranscriptBlock, { kind: Kind }>;

export function sessionText({ session, model }: Of<'session'>): string {
  return `session ${session ?? 'without a name'}${model === undefined ? '' : `, model ${model}`}`;
}

export function turnText({ ok, reason }: Of<'turn'>): string {
  return `${ok ? 'turn ended' : 'turn failed'}${reason === undefined ? '' : `: ${reason}`}`;
}

export function gapText({ bytes }: Of<'gap'>): string {
  return `(${bytes} bytes of the output are not kept)`;
}
