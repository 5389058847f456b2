/** The messages of an OpenClaw Gateway, as far as Signalbox reads them. Other fields of a frame are ignored. */
import { z } from 'zod';

const errorSchema = z.object({
  code: z.string().default('UNKNOWN'),
  message: z.string().default('no message'),
  details: z
    .object({ code: z.string().optional(), reason: z.string().optional() })
    .optional()
    .catch(undefined),
});
export type GatewayError = z.output<typeof errorSchema>;

const responseSchema = z.object({
  type: z.literal('res'),
  id: z.string(),
  ok: z.boolean(),
  payload: z.unknown().optional(),
  error: errorSchema.optional(),
});
export type ResponseFrame = z.output<typeof responseSchema>;

const eventSchema = z.object({
  type: z.literal('event'),
  event: z.string(),
  payload: z.unknown().optional(),
});
export type EventFrame = z.output<typeof eventSchema>;

const frameSchema = z.discriminatedUnion('type', [responseSchema, eventSchema]);

/** Null for a text that is not a frame, and for a frame of another kind. */
export function readFrame(text: string): ResponseFrame | EventFrame | null {
  try {
    return frameSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

export const helloSchema = z.object({
  type: z.literal('hello-ok'),
  server: z.object({ version: z.string().optional() }).optional(),
  policy: z.object({ tickIntervalMs: z.number().positive().optional() }).optional(),
});

/** A part that may be missing, null or of another form: then it is ignored. */
function lenient<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().catch(undefined);
}

const text = z.string().nullish();
const number = z.number().nullish();
const agentMetaSchema = z.object({
  model: lenient(z.string()),
  costUsd: lenient(z.number()),
  usage: lenient(z.object({ input: number, output: number, cacheRead: number, cacheWrite: number })),
});
const resultSchema = z.object({
  payloads: lenient(z.array(z.object({ text, isError: z.boolean().nullish() }))),
  meta: lenient(
    z.object({
      aborted: z.boolean().nullish(),
      error: lenient(z.object({ kind: text, message: text })),
      agentMeta: agentMetaSchema.nullish(),
    }),
  ),
});

/** Answers to `agent` and `agent.wait`: what is known about a run. */
export const runSchema = z.object({
  runId: z.string().optional(),
  sessionKey: z.string().optional(),
  status: z.string(),
  summary: text,
  endedAt: number,
  stopReason: text,
  error: lenient(
    z.union([z.string(), z.object({ message: z.string() }).transform(({ message }) => message)]),
  ),
  result: lenient(resultSchema),
  terminalReply: lenient(z.object({ text })),
});
export type RunAnswer = z.output<typeof runSchema>;

const optional = z.string().optional();
const spawnedSchema = z.object({ status: z.string(), childSessionKey: optional, runId: optional });
export const spawnSchema = z.object({
  ok: z.boolean().optional(),
  error: z.object({ code: optional, message: optional }).optional(),
  output: z.object({ details: spawnedSchema.optional() }).optional(),
});

export const tasksSchema = z.object({
  tasks: z.array(
    z.object({ status: z.string(), runId: text, childSessionKey: text, error: lenient(z.string()) }),
  ),
});

export const historySchema = z.object({
  messages: z.array(z.object({ role: z.string().optional(), content: z.unknown() })),
});

export const abortSchema = z.object({ aborted: z.boolean().optional() });

/** The run that an event is about. */
export const runEventSchema = z.object({ runId: z.string() });
