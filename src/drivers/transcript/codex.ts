/** The transcript of Codex, from the events of `codex exec --json`. */
import { z } from 'zod';
import type { CallState, TranscriptContent } from '../../contracts/transcript/schemas.ts';
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
  unknown,
} from './reader.ts';

const itemSchema = object({
  id: text,
  type: text,
  text: text,
  message: text,
  command: unknown,
  aggregated_output: text,
  exit_code: z.number().nullish().catch(undefined),
  status: text,
  changes: items,
  server: text,
  tool: text,
  arguments: unknown,
  result: unknown,
  error: unknown,
  query: text,
  items,
});
type Item = NonNullable<z.output<typeof itemSchema>>;
const eventSchema = z.object({
  type: z.string(),
  thread_id: text,
  item: itemSchema,
  message: text,
  error: object({ message: text }),
  usage: object({ input_tokens: number, output_tokens: number }),
});

export const readCodex: TranscriptReader = (line) => {
  const event = eventSchema.safeParse(line).data;
  if (!event) return null;
  const texts = new Texts();
  switch (event.type) {
    case 'thread.started':
      return [{ kind: 'session', session: nameOf(event.thread_id) }];
    case 'turn.started':
      return NOTHING;
    case 'item.started':
    case 'item.updated':
    case 'item.completed':
      return event.item ? ofItem(event.item, event.type === 'item.completed') : null;
    case 'turn.completed':
      return [
        {
          kind: 'usage',
          input_tokens: countOf(event.usage?.input_tokens),
          output_tokens: countOf(event.usage?.output_tokens),
        },
        { kind: 'turn', ok: true },
      ];
    case 'turn.failed':
      return [{ kind: 'turn', ok: false, reason: texts.short(event.error?.message), ...texts.rest }];
    case 'error':
      return [{ kind: 'error', text: texts.detail(event.message) ?? 'no reason given', ...texts.rest }];
    default:
      return null;
  }
};

function ofItem(item: Item, isCompleted: boolean): readonly TranscriptContent[] | null {
  const texts = new Texts();
  switch (item.type) {
    case 'agent_message':
      // A message that grows comes whole at its end.
      return isCompleted
        ? [{ kind: 'message', role: 'agent', text: texts.said(item.text), ...texts.rest }]
        : NOTHING;
    case 'reasoning':
      return isCompleted ? [{ kind: 'thought', text: texts.said(item.text), ...texts.rest }] : NOTHING;
    case 'error':
      return isCompleted
        ? [{ kind: 'error', text: texts.detail(item.message) ?? 'no reason given', ...texts.rest }]
        : NOTHING;
    case 'todo_list':
      return [planOf(item)];
    default:
      return ofCall(item, isCompleted);
  }
}

function ofCall(item: Item, isCompleted: boolean): readonly TranscriptContent[] | null {
  const call = callOf(item.id);
  const facts = call === undefined ? undefined : factsOf(item);
  if (call === undefined || facts === undefined) return null;
  const texts = new Texts();
  const { tool, title, input, output, paths } = facts;
  return [
    {
      kind: 'tool_call',
      call,
      state: stateOf(item, isCompleted),
      tool: nameOf(tool),
      title: texts.short(title),
      input: texts.detail(input),
      output: texts.detail(output),
      paths,
      ...texts.rest,
    },
  ];
}

interface CallFacts {
  readonly tool: string;
  readonly title?: unknown;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly paths?: string[];
}

const changeSchema = z.object({ path: z.string(), kind: text });

/** What is known of the call of a tool; undefined for an item of another kind. */
function factsOf(item: Item): CallFacts | undefined {
  switch (item.type) {
    case 'command_execution':
      return { tool: 'shell', title: item.command, output: item.aggregated_output };
    case 'file_change': {
      const changes = (item.changes ?? []).flatMap((each) => changeSchema.safeParse(each).data ?? []);
      const paths = changes.map(({ path }) => path.slice(0, 1_000));
      return {
        tool: 'edit',
        title: changes.map(({ kind, path }) => `${kind ?? 'change'} ${path}`).join(', '),
        paths,
      };
    }
    case 'mcp_tool_call':
      return {
        tool: [item.server, item.tool].filter(Boolean).join('.'),
        input: item.arguments,
        output: item.result ?? item.error,
      };
    case 'web_search':
      return { tool: 'web_search', title: item.query };
    default:
      return undefined;
  }
}

function stateOf({ status, exit_code }: Item, isCompleted: boolean): CallState {
  if (!isCompleted) return 'running';
  const isBad =
    status === 'failed' || status === 'declined' || (typeof exit_code === 'number' && exit_code !== 0);
  return isBad ? 'failed' : 'completed';
}

const stepSchema = z.object({ text: z.string(), completed: flag });

function planOf(item: Item): TranscriptContent {
  const texts = new Texts();
  const steps = (item.items ?? []).flatMap((each) => {
    const { text: step, completed } = stepSchema.safeParse(each).data ?? {};
    const shown = texts.short(step);
    if (shown === undefined) return [];
    return [{ text: shown, state: completed ? ('completed' as const) : ('pending' as const) }];
  });
  return { kind: 'plan', steps, ...texts.rest };
}
