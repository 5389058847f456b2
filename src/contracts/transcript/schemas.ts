/** The transcript of an attempt: what its agent said and did, in one form for all agents. */
import { z } from 'zod';
import { digits } from '../fields.ts';

/** How an agent writes what it says and does; `text` is anything else. Each has a reader in src/drivers/transcript. */
export const TRANSCRIPT_FORMATS = ['text', 'acp', 'claude', 'codex', 'gemini', 'opencode'] as const;
export type TranscriptFormat = (typeof TRANSCRIPT_FORMATS)[number];

const count = z.int().min(0);

/** What proves a transcript: it is read from these bytes and nothing else. Part of the end of an attempt. */
export const transcriptProofSchema = z.strictObject({
  format: z.enum(TRANSCRIPT_FORMATS),
  /** Of the recorded output that is kept. */
  sha256: z.string(),
  /** Its size. */
  bytes: count,
  /** What was printed beside that, and is not kept. */
  dropped_bytes: count,
  lines: count,
});
export type TranscriptProof = z.output<typeof transcriptProofSchema>;

export const CALL_STATES = ['pending', 'running', 'completed', 'failed'] as const;
export type CallState = (typeof CALL_STATES)[number];
export const STEP_STATES = ['pending', 'running', 'completed'] as const;

const name = z.string();
const common = {
  /** Its place: the same entry always has the same id. */
  id: z.string(),
  /** When the agent says that it was. */
  time: z.iso.datetime().optional(),
  /** Of a part of the work that another agent does: the call that began it. */
  parent: name.optional(),
  /** Characters that are left out, because a text is too long. The log has them. */
  cut: count.optional(),
};
const spoken = {
  ...common,
  text: z.string(),
  /** Whether it continues what was said before, without a break. */
  part: z.boolean().optional(),
  /** The message that it belongs to. */
  message: name.optional(),
};

export const transcriptEntrySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('message'), role: z.enum(['agent', 'user']), ...spoken }),
  z.strictObject({ kind: z.literal('thought'), ...spoken }),
  /** The call of a tool, or what has changed of it: the entries with the same `call` are one. */
  z.strictObject({
    kind: z.literal('tool_call'),
    ...common,
    call: name,
    state: z.enum(CALL_STATES).optional(),
    tool: name.optional(),
    title: z.string().optional(),
    /** As text, or as JSON. */
    input: z.string().optional(),
    output: z.string().optional(),
    diff: z.string().optional(),
    paths: z.array(z.string()).optional(),
  }),
  /** The whole plan; it takes the place of the one before. */
  z.strictObject({
    kind: z.literal('plan'),
    ...common,
    steps: z.array(z.strictObject({ text: z.string(), state: z.enum(STEP_STATES) })),
  }),
  /** The agent asks, and waits. */
  z.strictObject({
    kind: z.literal('permission'),
    ...common,
    /** The agent's own name for the request. */
    request: name,
    /** The question that it has become. */
    question: name.optional(),
    call: name.optional(),
    tool: name.optional(),
    title: z.string().optional(),
    input: z.string().optional(),
  }),
  /** What it has used so far, as far as it tells. */
  z.strictObject({
    kind: z.literal('usage'),
    ...common,
    /** Tokens that the model has in view now, and how many it can have. */
    context_tokens: count.optional(),
    context_size: count.optional(),
    input_tokens: count.optional(),
    output_tokens: count.optional(),
    cost_usd: z.number().min(0).optional(),
  }),
  z.strictObject({ kind: z.literal('session'), ...common, session: name.optional(), model: name.optional() }),
  /** The end of a turn. */
  z.strictObject({ kind: z.literal('turn'), ...common, ok: z.boolean(), reason: z.string().optional() }),
  z.strictObject({ kind: z.literal('error'), ...common, text: z.string() }),
  /** A line of another kind, as it was printed. */
  z.strictObject({ kind: z.literal('raw'), ...common, text: z.string() }),
  /** Output that is not kept. */
  z.strictObject({ kind: z.literal('gap'), ...common, bytes: count }),
]);
export type TranscriptEntry = z.output<typeof transcriptEntrySchema>;
type Without<Entry> = Entry extends TranscriptEntry ? Omit<Entry, 'id'> : never;
/** An entry without its place. */
export type TranscriptContent = Without<TranscriptEntry>;

const offset = digits(0);
export const readTranscriptSchema = z
  .strictObject({
    /** The `next` of an earlier answer. Default: 0, the beginning. */
    after: offset.optional(),
    /** The `start` of an earlier answer, for what is before it; or `end`, for the newest part. */
    before: z.union([z.literal('end'), offset]).optional(),
    /** Lines of the output that are read: each is some entries, one, or none. */
    limit: digits(1, 2_000).default(500),
  })
  .refine(({ after, before }) => after === undefined || before === undefined, {
    message: 'give either "after" or "before"',
    path: ['before'],
  });
export type ReadTranscript = z.output<typeof readTranscriptSchema>;

export const followTranscriptSchema = z.strictObject({ after: offset.default(0) });
export type FollowTranscript = z.output<typeof followTranscriptSchema>;

export const transcriptPageSchema = z.strictObject({
  format: z.enum(TRANSCRIPT_FORMATS),
  entries: z.array(transcriptEntrySchema),
  /** Where these entries begin: `before` for those before them. */
  start: count,
  /** Where they end: `after` for what follows. */
  next: count,
  /** Whether there is something before them. */
  has_earlier: z.boolean(),
  /** Whether nothing follows, now or later. */
  complete: z.boolean(),
});
export type TranscriptPage = z.output<typeof transcriptPageSchema>;
