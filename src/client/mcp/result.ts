/** What a tool answers: the same JSON as structure and as text, or an error that a model can act upon. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';

/** Never throws: what went wrong is told to the model. */
export async function resultOf(work: () => Promise<object>): Promise<CallToolResult> {
  try {
    const structuredContent = { ...(await work()) } as Record<string, unknown>;
    return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
  } catch (error) {
    return { isError: true, content: [{ type: 'text', text: JSON.stringify(errorJson(error)) }] };
  }
}

/** With the stable code, and the status of the task if that is the reason. */
function errorJson(error: unknown): object {
  if (!(error instanceof SignalboxError)) return { code: 'internal', message: messageOf(error) };
  const { code, message, details } = error;
  return { code, message, ...('status' in details && { status: details.status }), details };
}
