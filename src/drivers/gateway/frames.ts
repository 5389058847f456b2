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

const resultSchema = z.object({
  payloads: z
    .array(z.object({ text: z.string().nullish(), isError: z.boolean().nullish() }))
    .nullish()
    .catch(undefined),
  meta: z
    .object({
      aborted: z.boolean().nullish(),
      error: z
        .object({ kind: z.string().nullish(), message: z.string().nullish() })
        .nullish()
        .catch(undefined),
      agentMeta: z
        .object({
          costUsd: z.number().nullish().catch(undefined),
          usage: z
            .object({ input: z.number().nullish(), output: z.number().nullish() })
            .nullish()
            .catch(undefined),
        })
        .nullish(),
    })
    .nullish()
    .catch(undefined),
});

/** Answers to `agent` and `agent.wait`: what is known about a run. */
export const runSchema = z.object({
  runId: z.string().optional(),
  sessionKey: z.string().optional(),
  status: z.string(),
  summary: z.string().nullish(),
  endedAt: z.number().nullish(),
  stopReason: z.string().nullish(),
  error: z
    .union([z.string(), z.object({ message: z.string() }).transform(({ message }) => message)])
    .nullish()
    .catch(undefined),
  result: resultSchema.nullish().catch(undefined),
  terminalReply: z.object({ text: z.string().nullish() }).nullish().catch(undefined),
});
export type RunAnswer = z.output<typeof runSchema>;

export const spawnSchema = z.object({
  ok: z.boolean().optional(),
  error: z.object({ code: z.string().optional(), message: z.string().optional() }).optional(),
  output: z
    .object({
      details: z
        .object({ status: z.string(), childSessionKey: z.string().optional(), runId: z.string().optional() })
        .optional(),
    })
    .optional(),
});

export const tasksSchema = z.object({
  tasks: z.array(
    z.object({
      status: z.string(),
      runId: z.string().nullish(),
      childSessionKey: z.string().nullish(),
      error: z.string().nullish().catch(undefined),
    }),
  ),
});

export const historySchema = z.object({
  messages: z.array(z.object({ role: z.string().optional(), content: z.unknown() })),
});

export const abortSchema = z.object({ aborted: z.boolean().optional() });

/** The run that an event is about. */
export const runEventSchema = z.object({ runId: z.string() });
