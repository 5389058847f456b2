/** What an agent asks over ACP, as questions, and the answers in its form. */
import type { z } from 'zod';
import { cutText } from '../../../base/text/cut-text.ts';
import { formSchema, isAllowing, isRejecting, PERMISSION_OPTIONS } from '../../../contracts/questions.ts';
import { changesText } from '../../changed-text.ts';
import type { RunAnswer } from '../../driver.ts';
import type { AgentRequest } from '../requests.ts';
import { cutShown, hasDecisive, shownInput } from '../shown-input.ts';
import {
  diffSchema,
  elicitationSchema,
  failure,
  INVALID_PARAMS,
  permissionSchema,
  result,
  type ToolCall,
} from './messages.ts';

type Id = string | number;

const MAX_NAME = 200;
const MAX_TITLE = 1_000;

interface PermissionRequest extends AgentRequest {
  /** Whether it is for a tool of Signalbox itself, which needs no question. */
  readonly isOwnTool: boolean;
}

/**
 * Whether it is for a tool of Signalbox's own MCP server, by what the agent's program and not its model writes: the name of
 * the tool, or with Gemini CLI the id of the call, which has that name, together with the title.
 */
function isOwnTool({ name, title, toolCallId, _meta }: ToolCall): boolean {
  if (/^mcp__signalbox__[a-z_]+$/.test(_meta?.claudeCode.toolName ?? name ?? '')) return true;
  const [, tool] = /^mcp_signalbox_([a-z_]+?)__/.exec(toolCallId) ?? [];
  return tool !== undefined && title === `${tool} (signalbox MCP Server)`;
}

/** Undefined if it cannot be understood. */
export function permissionRequest(id: Id, params: unknown): PermissionRequest | undefined {
  const asked = permissionSchema.safeParse(params).data;
  if (!asked) return undefined;
  const { toolCall, options } = asked;
  const optionOf = (...kinds: readonly string[]): string | undefined =>
    kinds.flatMap((kind) => options.filter((each) => each.kind === kind)).at(0)?.optionId;
  // "Always" is kept by Signalbox, as a rule for this input: what an agent would allow with it is not known.
  const allowing = optionOf('allow_once', 'allow_always');
  const rejecting = optionOf('reject_once', 'reject_always');
  if (allowing === undefined) return undefined;
  const title = cutText(toolCall.title?.trim() ?? '', MAX_TITLE);
  const tool = toolOf(toolCall);
  return {
    alias: toolCall.toolCallId,
    isOwnTool: isOwnTool(toolCall),
    question: {
      kind: 'permission',
      message: title ? `May it use ${tool}: ${title}?` : `May it use ${tool}?`,
      about: { tool, input: inputOf(toolCall), ...diffOf(toolCall), ...pathOf(toolCall) },
      options: PERMISSION_OPTIONS.filter((option) => isAllowing(option) || isRejecting(option)),
    },
    ...permissionReplies(id, allowing, rejecting),
  };
}

/** Apart from what was asked, which can be as long as a line: what one function of a scope uses, all of them keep. */
function permissionReplies(
  id: Id,
  allowing: string,
  rejecting: string | undefined,
): Pick<AgentRequest, 'reply' | 'refusal'> {
  const selected = (optionId: string | undefined): object =>
    result(id, { outcome: optionId === undefined ? CANCELLED : { outcome: 'selected', optionId } });
  return {
    reply: ({ action, chosen }) => {
      if (action === 'cancelled') return selected(undefined);
      return selected(chosen !== undefined && isAllowing(chosen) ? allowing : rejecting);
    },
    refusal: () => selected(rejecting),
  };
}

const CANCELLED = { outcome: 'cancelled' };

/** What it asks for; a text if that cannot be asked, with the reason. */
export function elicitation(id: Id, params: unknown): AgentRequest | string {
  const asked = elicitationSchema.safeParse(params).data;
  if (!asked) return 'expected "mode" and "message"';
  const message = cutText(asked.message, 20_000) || 'It asks for something that it does not name.';
  const question = questionOf(asked, message);
  if (typeof question === 'string') return question;
  return {
    question,
    reply: (answer) => result(id, elicited(answer)),
    refusal: () => result(id, { action: 'decline' }),
  };
}

function questionOf(
  { mode, requestedSchema, url }: { mode: string; requestedSchema?: unknown; url?: string | undefined },
  message: string,
): AgentRequest['question'] | string {
  if (mode === 'url') return url === undefined ? 'url: is missing' : { kind: 'link', message, url };
  if (mode !== 'form') return 'mode: expected form or url';
  const { data: schema, error } = formSchema.safeParse({
    type: 'object',
    properties: {},
    ...(typeof requestedSchema === 'object' ? requestedSchema : {}),
  });
  return schema ? { kind: 'form', message, schema } : (unsupportedIn(error) ?? 'requestedSchema: not a form');
}

/** The first keyword that Signalbox does not check, with those that it does; undefined if that is not the fault. */
function unsupportedIn(error: z.ZodError): string | undefined {
  for (const issue of error.issues)
    if (issue.code === 'unrecognized_keys')
      return `requestedSchema: ${[...issue.path, ...issue.keys.slice(0, 1)].join('.').slice(0, 300)} ${issue.message}`;
  return undefined;
}

function elicited({ action, content }: RunAnswer): object {
  switch (action) {
    case 'accepted':
      return { action: 'accept', ...(content && { content }) };
    case 'declined':
      return { action: 'decline' };
    case 'cancelled':
    case 'expired':
      return { action: 'cancel' };
  }
}

/** The answer to a request that Signalbox cannot read. */
export function invalidParams(id: Id, method: string, why?: string): object {
  const reason = why === undefined ? '' : `: ${why}`;
  return failure(id, INVALID_PARAMS, `Signalbox cannot read the parameters of ${method}${reason}`);
}

/** Its name, if the agent tells it; else its kind, such as "execute" or "edit". The title says what this call does. */
function toolOf({ name, kind, _meta }: ToolCall): string {
  return (name || _meta?.claudeCode.toolName || kind || 'other').slice(0, MAX_NAME);
}

/** With one path if it concerns one: rules are compared with it. Without an input, what the title says stands for it. */
function inputOf(call: ToolCall): unknown {
  const { rawInput, title } = call;
  const paths = pathsOf(call);
  const path = paths.length > 1 ? { paths } : pathOf(call);
  if (typeof rawInput !== 'object' || rawInput === null || Array.isArray(rawInput))
    return {
      ...(title && { title: cutShown(title) }),
      ...(rawInput !== undefined && { input: rawInput }),
      ...path,
    };
  const input: Record<string, unknown> = { ...rawInput };
  // Several paths are the agent's own account of what it touches: none of them may escape a rule.
  if (paths.length > 1) return shownInput({ ...input, paths });
  return shownInput(hasDecisive(input) ? input : { ...path, ...input });
}

function pathsOf({ locations, content }: ToolCall): readonly string[] {
  const changed = (content ?? []).flatMap((each) => diffSchema.safeParse(each).data?.path ?? []);
  return [...new Set([...(locations ?? []).map(({ path }) => path), ...changed])];
}

function pathOf(call: ToolCall): { path?: string } {
  const [path, ...more] = pathsOf(call);
  return path === undefined || more.length > 0 ? {} : { path };
}

function diffOf({ content }: ToolCall): { diff?: string } {
  const diffs = (content ?? []).flatMap((each) => diffSchema.safeParse(each).data ?? []);
  return diffs.length === 0 ? {} : { diff: cutShown(changesText(diffs)) };
}
