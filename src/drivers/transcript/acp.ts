/** The transcript of an agent that speaks the Agent Client Protocol. */
import { z } from 'zod';
import type { CALL_STATES, STEP_STATES, TranscriptContent } from '../../contracts/transcript/schemas.ts';
import { changesText } from '../changed-text.ts';
import { isTurn } from '../conversation/acp/agent-state.ts';
import { chunkOf, diffSchema, requestKey, toolCallSchema } from '../conversation/acp/messages.ts';
import {
  callOf,
  countOf,
  items,
  MAX_ITEMS,
  NOTHING,
  nameOf,
  number,
  object,
  Texts,
  type TranscriptReader,
  text,
  unknown,
} from './reader.ts';

const messageSchema = z.object({
  id: z.union([z.string(), z.number()]).optional().catch(undefined),
  method: text,
  params: object({ update: z.looseObject({ sessionUpdate: z.string() }).optional().catch(undefined) }),
  result: unknown,
  error: object({ message: text }),
});

export const readAcp: TranscriptReader = (event) => {
  const { id, method, params, result, error } = messageSchema.safeParse(event).data ?? {};
  if (method === 'session/update') return params?.update ? ofUpdate(params.update) : NOTHING;
  if (method !== undefined) return id === undefined ? ofNotification(method) : ofRequest(id, method, event);
  if (typeof id !== 'string') return null;
  if (error) return isTurn(id) ? failedTurn(error.message) : ofError(error.message);
  if (isTurn(id)) return ofTurn(result);
  return id === 'session' || id === 'resume' ? ofSession(result) : NOTHING;
};

function ofNotification(method: string): readonly TranscriptContent[] | null {
  return method === '$/cancel_request' ? NOTHING : null;
}

function ofError(message: string | undefined): readonly TranscriptContent[] {
  const texts = new Texts();
  return [{ kind: 'error', text: texts.detail(message) ?? 'no reason given', ...texts.rest }];
}

function failedTurn(message: string | undefined): readonly TranscriptContent[] {
  const texts = new Texts();
  return [{ kind: 'turn', ok: false, reason: texts.short(message), ...texts.rest }];
}

const sessionSchema = z.object({ sessionId: text, models: object({ currentModelId: text }) });

function ofSession(result: unknown): readonly TranscriptContent[] {
  const { sessionId, models } = sessionSchema.safeParse(result).data ?? {};
  return [{ kind: 'session', session: nameOf(sessionId), model: nameOf(models?.currentModelId) }];
}

const turnSchema = z.object({
  stopReason: text,
  usage: object({ inputTokens: number, outputTokens: number }),
  _meta: object({ quota: object({ token_count: object({ input_tokens: number, output_tokens: number }) }) }),
});

function ofTurn(result: unknown): readonly TranscriptContent[] {
  const { stopReason, usage, _meta } = turnSchema.safeParse(result).data ?? {};
  const other = _meta?.quota?.token_count;
  const input_tokens = countOf(usage?.inputTokens ?? other?.input_tokens);
  const output_tokens = countOf(usage?.outputTokens ?? other?.output_tokens);
  const turn: TranscriptContent = { kind: 'turn', ok: stopReason === 'end_turn', reason: nameOf(stopReason) };
  const isCounted = input_tokens !== undefined || output_tokens !== undefined;
  return isCounted ? [{ kind: 'usage', input_tokens, output_tokens }, turn] : [turn];
}

function ofUpdate(update: { readonly sessionUpdate: string }): readonly TranscriptContent[] | null {
  switch (update.sessionUpdate) {
    case 'agent_message_chunk':
      return ofChunk(update, { kind: 'message', role: 'agent' });
    case 'user_message_chunk':
      return ofChunk(update, { kind: 'message', role: 'user' });
    case 'agent_thought_chunk':
      return ofChunk(update, { kind: 'thought' });
    case 'tool_call':
    case 'tool_call_update':
      return ofCall(update);
    case 'plan':
      return ofPlan(update);
    case 'usage_update':
      return ofUsage(update);
    case 'available_commands_update':
    case 'current_mode_update':
    case 'config_option_update':
    case 'session_info_update':
      return NOTHING;
    default:
      return null;
  }
}

type Speech = { readonly kind: 'message'; readonly role: 'agent' | 'user' } | { readonly kind: 'thought' };

function ofChunk(update: object, speech: Speech): readonly TranscriptContent[] {
  const texts = new Texts();
  const chunk = chunkOf(update) ?? { text: otherContent(update), message: undefined };
  const said = texts.said(chunk.text);
  return [{ ...speech, text: said, part: true, message: nameOf(chunk.message), ...texts.rest }];
}

const contentSchema = z.object({ content: object({ type: text, uri: text, name: text }) });

/** An image, a sound or a link. */
function otherContent(update: object): string {
  const { type, uri, name } = contentSchema.safeParse(update).data?.content ?? {};
  const what = nameOf(type)?.replaceAll('_', ' ') ?? 'something';
  return `(${[what, nameOf(name) ?? nameOf(uri)].filter(Boolean).join(': ')})`;
}

const STATES: Readonly<Record<string, (typeof CALL_STATES)[number]>> = {
  pending: 'pending',
  in_progress: 'running',
  completed: 'completed',
  failed: 'failed',
};

const rawOutputSchema = z.object({ rawOutput: unknown });
const textContentSchema = z.object({ content: z.object({ type: z.literal('text'), text: z.string() }) });

function ofCall(update: object): readonly TranscriptContent[] {
  const call = toolCallSchema.safeParse(update).data;
  const id = callOf(call?.toolCallId);
  if (!call || id === undefined) return NOTHING;
  const texts = new Texts();
  const { content, rawInput, title, status, kind, name, locations, _meta } = call;
  const shown = (content ?? []).slice(0, MAX_ITEMS);
  const diffs = shown.flatMap((each) =>
    isOfType(each, 'diff') ? (diffSchema.safeParse(each).data ?? []) : [],
  );
  const said = shown
    .flatMap((each) =>
      isOfType(each, 'content') ? (textContentSchema.safeParse(each).data?.content.text ?? []) : [],
    )
    .join('\n');
  const paths = [...new Set((locations ?? []).slice(0, MAX_ITEMS).map(({ path }) => path.slice(0, 1_000)))];
  return [
    {
      kind: 'tool_call',
      call: id,
      state: STATES[status ?? ''],
      tool: nameOf(_meta?.claudeCode.toolName ?? name ?? kind ?? undefined),
      title: texts.short(title),
      input: texts.detail(isEmpty(rawInput) ? undefined : rawInput),
      output: texts.detail(said === '' ? rawOutputOf(update) : said),
      diff: texts.detail(diffs.length === 0 ? undefined : changesText(diffs)),
      paths: paths.length === 0 ? undefined : paths,
      ...texts.rest,
    },
  ];
}

/** Looked at before a schema: one that does not match takes a time that counts. */
function isOfType(content: unknown, type: string): boolean {
  return typeof content === 'object' && content !== null && 'type' in content && content.type === type;
}

function rawOutputOf(update: object): unknown {
  const raw = rawOutputSchema.safeParse(update).data?.rawOutput;
  return isEmpty(raw) ? undefined : raw;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

const planSchema = z.object({ entries: items });
const stepSchema = z.object({ content: z.string(), status: text });
const STEPS: Readonly<Record<string, (typeof STEP_STATES)[number]>> = {
  in_progress: 'running',
  completed: 'completed',
};

function ofPlan(update: object): readonly TranscriptContent[] {
  const texts = new Texts();
  const steps = (planSchema.safeParse(update).data?.entries ?? []).flatMap((entry) => {
    const { content, status = '' } = stepSchema.safeParse(entry).data ?? {};
    const step = texts.short(content);
    return step === undefined ? [] : [{ text: step, state: STEPS[status] ?? 'pending' }];
  });
  return [{ kind: 'plan', steps, ...texts.rest }];
}

const usageSchema = z.object({
  used: number,
  size: number,
  cost: object({ amount: number, currency: text }),
});

function ofUsage(update: object): readonly TranscriptContent[] {
  const { used, size, cost } = usageSchema.safeParse(update).data ?? {};
  return [
    {
      kind: 'usage',
      context_tokens: countOf(used),
      context_size: countOf(size),
      cost_usd: cost?.currency === 'USD' ? cost.amount : undefined,
    },
  ];
}

const askedSchema = z.object({
  params: z.object({ toolCall: toolCallSchema.optional().catch(undefined), message: text, url: text }),
});

function ofRequest(id: string | number, method: string, event: object): readonly TranscriptContent[] | null {
  if (method !== 'session/request_permission' && method !== 'elicitation/create') return null;
  const { toolCall, message, url } = askedSchema.safeParse(event).data?.params ?? {};
  const texts = new Texts();
  return [
    {
      kind: 'permission',
      request: requestKey(id).slice(0, 300),
      call: callOf(toolCall?.toolCallId),
      tool: nameOf(toolCall?._meta?.claudeCode.toolName ?? toolCall?.name ?? toolCall?.kind ?? undefined),
      title: texts.short(toolCall?.title ?? message ?? url),
      input: texts.detail(toolCall?.rawInput),
      ...texts.rest,
    },
  ];
}
