/** The transcript of Claude Code, from its events (stream-json). */
import { z } from 'zod';
import type { TranscriptContent } from '../../contracts/transcript/schemas.ts';
import { changesText } from '../changed-text.ts';
import {
  callOf,
  countOf,
  flag,
  items,
  NOTHING,
  nameOf,
  number,
  object,
  Texts,
  type TranscriptReader,
  text,
  timeIn,
  unknown,
} from './reader.ts';

const usageSchema = object({
  input_tokens: number,
  cache_read_input_tokens: number,
  cache_creation_input_tokens: number,
  output_tokens: number,
});
const eventSchema = z.object({
  type: z.string(),
  subtype: text,
  timestamp: text,
  parent_tool_use_id: text,
  session_id: text,
  model: text,
  message: object({ content: unknown, usage: usageSchema }),
  request_id: text,
  request: object({ subtype: text, tool_name: text, input: unknown, description: text, tool_use_id: text }),
  is_error: flag,
  result: text,
  errors: items,
  usage: usageSchema,
  total_cost_usd: number,
});
type ClaudeEvent = z.output<typeof eventSchema>;

/** What only the program itself needs, and parts of messages that come whole afterwards. */
const SILENT = [
  'command_lifecycle',
  'control_response',
  'control_cancel_request',
  'keep_alive',
  'stream_event',
];

export const readClaude: TranscriptReader = (line) => {
  const event = eventSchema.safeParse(line).data;
  if (!event || SILENT.includes(event.type)) return event ? NOTHING : null;
  switch (event.type) {
    case 'system':
      return ofSystem(event);
    case 'assistant':
      return [...ofMessage(event, 'agent'), ...ofContext(event)];
    case 'user':
      return ofMessage(event, 'user');
    case 'control_request':
      return ofRequest(event);
    case 'result':
      return ofResult(event);
    default:
      return null;
  }
};

function ofSystem({ subtype, session_id, model }: ClaudeEvent): readonly TranscriptContent[] | null {
  if (subtype !== 'init') return null;
  return [{ kind: 'session', session: nameOf(session_id), model: nameOf(model) }];
}

const blockSchema = z.object({
  type: text,
  text: text,
  thinking: text,
  id: text,
  name: text,
  input: unknown,
  tool_use_id: text,
  content: unknown,
  is_error: flag,
});
type Block = z.output<typeof blockSchema>;

function ofMessage(event: ClaudeEvent, role: 'agent' | 'user'): TranscriptContent[] {
  const content = event.message?.content;
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : items.parse(content);
  const about = { ...timeIn(event.timestamp), parent: callOf(event.parent_tool_use_id) };
  return (blocks ?? []).flatMap((block) => {
    const known = blockSchema.safeParse(block).data;
    return known ? ofBlock(known, role).map((each) => ({ ...each, ...about })) : [];
  });
}

function ofBlock(block: Block, role: 'agent' | 'user'): TranscriptContent[] {
  const texts = new Texts();
  switch (block.type) {
    case 'text':
      return [{ kind: 'message', role, text: texts.said(block.text), ...texts.rest }];
    case 'thinking':
      return [{ kind: 'thought', text: texts.said(block.thinking), ...texts.rest }];
    case 'tool_use':
      return ofToolUse(block);
    case 'tool_result': {
      const call = callOf(block.tool_use_id);
      if (call === undefined) return [];
      const output = texts.detail(resultText(block.content));
      return [
        { kind: 'tool_call', call, state: block.is_error ? 'failed' : 'completed', output, ...texts.rest },
      ];
    }
    default:
      return block.type === undefined || role === 'user' ? [] : [{ kind: 'raw', text: `(${block.type})` }];
  }
}

const partSchema = z.object({ type: text, text: text });

function resultText(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  return (items.parse(content) ?? [])
    .map((part) => partSchema.safeParse(part).data ?? {})
    .map((part) => part.text ?? `(${nameOf(part.type) ?? 'something'})`)
    .join('\n');
}

function ofToolUse({ id, name, input }: Block): TranscriptContent[] {
  const call = callOf(id);
  if (call === undefined) return [];
  const texts = new Texts();
  const changes = changesIn(input);
  const begun: TranscriptContent = {
    kind: 'tool_call',
    call,
    state: 'running',
    tool: nameOf(name),
    // The diff says the same.
    input: changes === undefined ? texts.detail(input) : undefined,
    diff: texts.detail(changes),
    ...texts.rest,
  };
  const plan = name === 'TodoWrite' ? planIn(input) : undefined;
  return plan ? [begun, plan] : [begun];
}

const editSchema = z.object({ old_string: z.string(), new_string: z.string() });
const changeSchema = z.object({
  file_path: z.string(),
  content: text,
  old_string: text,
  new_string: text,
  edits: items,
});

/** Of its tools Edit, MultiEdit and Write. */
function changesIn(input: unknown): string | undefined {
  const change = changeSchema.safeParse(input).data;
  if (!change) return undefined;
  const { file_path: path, content, old_string: oldText, new_string: newText, edits } = change;
  if (newText !== undefined) return changesText([{ path, oldText, newText }]);
  if (content !== undefined) return changesText([{ path, newText: content }]);
  const changes = (edits ?? []).flatMap((edit) => editSchema.safeParse(edit).data ?? []);
  if (changes.length === 0) return undefined;
  return changesText(changes.map((edit) => ({ path, oldText: edit.old_string, newText: edit.new_string })));
}

const todosSchema = z.object({ todos: items });
const todoSchema = z.object({ content: z.string(), status: text });

function planIn(input: unknown): TranscriptContent | undefined {
  const { todos } = todosSchema.safeParse(input).data ?? {};
  if (!todos) return undefined;
  const texts = new Texts();
  const steps = todos.flatMap((todo) => {
    const { content, status } = todoSchema.safeParse(todo).data ?? {};
    const step = texts.short(content);
    if (step === undefined) return [];
    const state =
      status === 'completed'
        ? ('completed' as const)
        : status === 'in_progress'
          ? ('running' as const)
          : ('pending' as const);
    return [{ text: step, state }];
  });
  return { kind: 'plan', steps, ...texts.rest };
}

/** Each message of the model says how much it had in view. */
function ofContext({ message }: ClaudeEvent): TranscriptContent[] {
  const tokens = inputTokens(message?.usage);
  return tokens === undefined ? [] : [{ kind: 'usage', context_tokens: tokens }];
}

function inputTokens(usage: ClaudeEvent['usage']): number | undefined {
  return countOf(usage?.input_tokens, usage?.cache_read_input_tokens, usage?.cache_creation_input_tokens);
}

function ofRequest({ request_id, request }: ClaudeEvent): readonly TranscriptContent[] | null {
  if (request?.subtype !== 'can_use_tool' || request_id === undefined) return null;
  const texts = new Texts();
  return [
    {
      kind: 'permission',
      request: request_id.slice(0, 300),
      call: callOf(request.tool_use_id),
      tool: nameOf(request.tool_name),
      title: texts.short(request.description),
      input: texts.detail(request.input),
      ...texts.rest,
    },
  ];
}

function ofResult(event: ClaudeEvent): readonly TranscriptContent[] {
  const { usage, total_cost_usd, is_error, result, errors, subtype } = event;
  const texts = new Texts();
  const errorText = (errors ?? []).filter((each) => typeof each === 'string').join('\n');
  const reason = is_error ? texts.short(result ?? (errorText || subtype)) : undefined;
  return [
    {
      kind: 'usage',
      input_tokens: inputTokens(usage),
      output_tokens: countOf(usage?.output_tokens),
      cost_usd: total_cost_usd,
    },
    { kind: 'turn', ok: is_error === false, reason, ...texts.rest },
  ];
}
