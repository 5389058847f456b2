/**
 * The messages of the Agent Client Protocol, wire version 1, as far as Signalbox reads and writes them. Fields that it does not
 * use are not checked: agents send more than the protocol has.
 */
import { z } from 'zod';

export const PROTOCOL_VERSION = 1;
/** Codes of JSON-RPC, and one of the protocol. */
export const METHOD_NOT_FOUND = -32_601;
export const INVALID_PARAMS = -32_602;
export const AUTHENTICATION_REQUIRED = -32_000;

const text = z.string().max(2_000);
/** An id that an agent gives to its own request. */
const requestIdSchema = z.union([z.string().max(200), z.number()]);

export const requestSchema = z.object({
  id: requestIdSchema,
  method: z.string(),
  params: z.unknown().optional(),
});
const errorSchema = z.object({
  code: z.number().catch(0),
  message: z.string(),
  data: z.unknown().optional(),
});
export const responseSchema = z.object({
  id: z.string().max(200),
  method: z.undefined().optional(),
  result: z.unknown().optional(),
  error: errorSchema.optional(),
});
export type AcpError = z.output<typeof errorSchema>;

const present = z.unknown().transform((value) => value !== undefined && value !== null && value !== false);
export const initializedSchema = z.object({
  protocolVersion: z.union([z.number(), text]),
  agentCapabilities: z
    .object({
      loadSession: present.optional(),
      sessionCapabilities: z.object({ resume: present.optional() }).nullish(),
    })
    .nullish(),
  authMethods: z.array(z.object({ id: text, name: text })).nullish(),
});
export type Initialized = z.output<typeof initializedSchema>;

const optionValue = z.object({ value: text });
const optionValues = z.union([z.array(optionValue), z.array(z.object({ options: z.array(optionValue) }))]);
export const sessionSchema = z.object({
  sessionId: z.string().min(1).max(500).optional(),
  modes: z.object({ availableModes: z.array(z.object({ id: text })) }).nullish(),
  models: z.object({ availableModels: z.array(z.object({ modelId: text })) }).nullish(),
  configOptions: z
    .array(z.object({ id: text, category: text.nullish(), options: optionValues.optional() }))
    .nullish(),
});
export type Session = z.output<typeof sessionSchema>;

const count = z.number().min(0).optional().catch(undefined);
export const promptedSchema = z.object({
  stopReason: text,
  usage: z
    .object({
      inputTokens: count,
      outputTokens: count,
      totalTokens: count,
      cachedReadTokens: count,
      cachedWriteTokens: count,
    })
    .nullish()
    .catch(undefined),
  _meta: z
    .object({ quota: z.object({ token_count: z.object({ input_tokens: count, output_tokens: count }) }) })
    .nullish()
    .catch(undefined),
});
export type Prompted = z.output<typeof promptedSchema>;

export const updateSchema = z.object({
  params: z.object({
    sessionId: z.string().max(500),
    update: z.looseObject({ sessionUpdate: z.string().max(200) }),
  }),
});
/** The agent no longer waits for the answer to a request. */
export const cancelledSchema = z.object({
  method: z.literal('$/cancel_request'),
  params: z.object({ requestId: requestIdSchema }),
});

const chunkSchema = z.object({
  content: z.object({ type: z.literal('text'), text: z.string() }),
  messageId: text.nullish().catch(undefined),
});
/** The text of a chunk of a message; undefined for an image or the like. */
export function chunkOf(update: object): { text: string; message: string | undefined } | undefined {
  const chunk = chunkSchema.safeParse(update).data;
  return chunk && { text: chunk.content.text, message: chunk.messageId ?? undefined };
}

export const costSchema = z.object({
  cost: z.object({ amount: z.number().min(0), currency: z.literal('USD') }),
});

const locations = z
  .array(z.object({ path: z.string() }))
  .nullish()
  .catch(undefined);
/** A call of a tool, whole or what has changed of it. */
export const toolCallSchema = z.object({
  toolCallId: z.string().max(500),
  title: z.string().nullish().catch(undefined),
  name: z.string().nullish().catch(undefined),
  kind: z.string().nullish().catch(undefined),
  status: z.string().max(50).nullish().catch(undefined),
  rawInput: z.unknown().optional(),
  content: z.array(z.unknown()).nullish().catch(undefined),
  locations,
  /** Where the adapter of Claude Code names the tool. */
  _meta: z
    .object({ claudeCode: z.object({ toolName: z.string() }) })
    .nullish()
    .catch(undefined),
});
export type ToolCall = z.output<typeof toolCallSchema>;
export const diffSchema = z.object({
  type: z.literal('diff'),
  path: z.string(),
  oldText: z.string().nullish(),
  newText: z.string(),
});

export const permissionSchema = z.object({
  toolCall: toolCallSchema,
  options: z
    .array(z.object({ optionId: z.string().max(1_000), kind: z.string().max(100) }))
    .min(1)
    .max(100),
});
export const elicitationSchema = z.object({
  mode: text,
  message: z.string(),
  requestedSchema: z.unknown().optional(),
  url: z.string().max(10_000).optional(),
});

/** How the request of an agent is named, whether its id is a number or a text. */
export function requestKey(id: string | number): string {
  return JSON.stringify(id);
}

export function request(id: string, method: string, params: object): object {
  return { jsonrpc: '2.0', id, method, params };
}

export function notification(method: string, params: object): object {
  return { jsonrpc: '2.0', method, params };
}

export function result(id: string | number, value: object): object {
  return { jsonrpc: '2.0', id, result: value };
}

export function failure(id: string | number, code: number, message: string): object {
  return { jsonrpc: '2.0', id, error: { code, message } };
}
