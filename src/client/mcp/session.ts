/** What the tools share: the caller's identity, their results, and the trace of a call. */
import {
  type CallToolResult,
  type McpServer,
  type ServerContext,
  type StandardSchemaWithJSON,
  type ToolAnnotations,
  TRACEPARENT_META_KEY,
  TRACESTATE_META_KEY,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { cutText } from '../../base/text/cut-text.ts';
import { type IncomingTrace, incomingTrace } from '../../base/trace-context.ts';
import type { SteeringAnswer } from '../../contracts/api/steering.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { parse } from '../../operations/parse.ts';
import type { SignalboxClient } from '../client.ts';
import type { WaitingCalls } from './cancellation.ts';
import { fitted, MAX_PATH, partOf } from './fit.ts';

/** The identity of the tools is never an argument, since a model must not choose it. */
export interface McpIdentity {
  readonly project: string;
  /** The task that the agent works on; absent for a person's session. */
  readonly task: string | undefined;
  /** The author of comments without an attempt. */
  readonly author: string | undefined;
  /** Default directory of commands; if absent, each command gets a directory of its own. */
  readonly cwd: string | undefined;
}

export interface McpSession {
  readonly client: SignalboxClient;
  readonly identity: McpIdentity;
  /** Aborted when the connection of the call is gone. */
  readonly gone: AbortSignal;
  /** Over HTTP: the calls that wait, and who this caller is among them. Absent if the connection is that of one client. */
  readonly waiting?: { readonly calls: WaitingCalls; readonly caller: string };
}

/** Where tools are added. */
export interface Tools {
  readonly server: McpServer;
  /** What users tell the agent, since it was told last. Never rejects. */
  readonly messages: () => Promise<readonly SteeringAnswer[]>;
}

interface Tool<Input> {
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  readonly annotations: ToolAnnotations;
  /** The project comes from the session, never from the model. */
  readonly run: (input: Input, trace: IncomingTrace, context: ServerContext) => Promise<object>;
}

export const READS = { readOnlyHint: true, openWorldHint: false } as const;
export const WRITES = { readOnlyHint: false, destructiveHint: false, openWorldHint: false } as const;

/** Tokens of an answer, unless the caller asks for more. Clients stop at 25,000. */
const MAX_TOKENS = 18_000;
/** English has about four bytes a token. */
const BYTES_PER_TOKEN = 4;

/** Arguments of the tools that read: what was cut is read in parts. */
export const READING = {
  path: z
    .string()
    .max(MAX_PATH)
    .optional()
    .describe('Reads one part of the answer only, such as outputs[0].content.'),
  offset: z.int().min(0).default(0).describe('With path: where to begin, in characters or items.'),
  max_tokens: z
    .int()
    .min(1_000)
    .max(250_000)
    .default(MAX_TOKENS)
    .describe('About how long the answer may be. Clients may refuse more than the default.'),
} as const;

const readingSchema = z.object({
  path: READING.path.catch(undefined),
  offset: READING.offset.catch(0),
  max_tokens: READING.max_tokens.catch(MAX_TOKENS),
});
type Reading = z.output<typeof readingSchema>;

const READ_ON =
  'The values in "truncated" are cut. Read on with task_get or check_background: the same task_id, the path, and the number in "shown" as offset.';

export function addTool<Input>(
  { server, messages }: Tools,
  name: string,
  { title, description, input, annotations, run }: Tool<Input>,
): void {
  // Arguments are checked here: the library would answer with a text that has no code.
  const inputSchema: StandardSchemaWithJSON<unknown, unknown> = {
    '~standard': { ...input['~standard'], validate: (value: unknown) => ({ value }) },
  };
  server.registerTool(name, { title, description, inputSchema, annotations }, (args, context) =>
    resultOf(readingSchema.parse(args ?? {}), async () => {
      const answer = await run(parse(input, args ?? {}, 'arguments'), traceOfCall(context), context);
      const steering = 'steering' in answer ? [] : await messages();
      return steering.length === 0 ? answer : { ...answer, steering };
    }),
  );
}

/** The messages to the agent of a session; none for a session of a person. */
export async function messagesOf({ client, identity, gone }: McpSession): Promise<readonly SteeringAnswer[]> {
  const { project, task } = identity;
  // What is not received must not count as delivered.
  if (task === undefined || gone.aborted) return [];
  // The attempt may be over, or not its own: the tool has answered all the same.
  const { messages } = await client.takeSteering({ project, task }).catch(() => ({ messages: [] }));
  return messages;
}

/** The result of a tool: the same JSON as structure and as text, or an error that a model can act upon. Never throws. */
async function resultOf(reading: Reading, work: () => Promise<object>): Promise<CallToolResult> {
  try {
    const whole = { ...(await work()) };
    const maxBytes = reading.max_tokens * BYTES_PER_TOKEN;
    const { value, cuts } = fitted(partFor(whole, reading, maxBytes), maxBytes, bytesOf);
    return resultWith(cuts.length === 0 ? value : { ...value, truncated: cuts, read_on: READ_ON });
  } catch (error) {
    return {
      isError: true,
      content: [{ type: 'text', text: cutText(JSON.stringify(errorJson(error)), MAX_TOKENS) }],
    };
  }
}

/** @throws SignalboxError `not_found` */
function partFor(whole: object, { path, offset }: Reading, maxBytes: number): object {
  if (path === undefined) return whole;
  const part = partOf(whole, path, offset, (each) => bytesOf(each) <= maxBytes);
  if (part !== null) return part;
  throw new SignalboxError('not_found', `path: there is nothing at ${JSON.stringify(path)} in the answer`);
}

function resultWith(value: object): CallToolResult {
  const structuredContent = { ...value };
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}

function bytesOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(resultWith(value)));
}

/** With the stable code, and the status of the task if that is the obstacle. */
function errorJson(error: unknown): object {
  if (!(error instanceof SignalboxError)) return { code: 'internal', message: messageOf(error) };
  const { code, message, details } = error;
  return { code, message, ...('status' in details && { status: details.status }), details };
}

/** The trace of a call, if the MCP client sends it; it goes before that of the connection or environment. */
function traceOfCall({ mcpReq }: Pick<ServerContext, 'mcpReq'>): IncomingTrace {
  const meta: Readonly<Record<string, unknown>> = mcpReq._meta ?? {};
  return incomingTrace(meta[TRACEPARENT_META_KEY], meta[TRACESTATE_META_KEY]);
}
