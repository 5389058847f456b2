/** What an agent of the Agent Client Protocol prints, by the requests that it has got. */
import { IDS } from '../../../drivers/conversation/acp/agent-state.ts';
import {
  failure,
  notification,
  PROTOCOL_VERSION,
  result,
} from '../../../drivers/conversation/acp/messages.ts';
import type { Sample } from './sample.ts';

function lines(...messages: readonly object[]): string {
  return messages.map((message) => `${JSON.stringify(message)}\n`).join('');
}

/** The answers to "initialize" and to the request for a session, whichever of both it gets. */
export function acpReplies(session: string): readonly string[] {
  const capabilities = { protocolVersion: PROTOCOL_VERSION, agentCapabilities: { loadSession: true } };
  return [
    lines(result(IDS.initialize, capabilities)),
    lines(result(IDS.session, { sessionId: session }), result(IDS.resume, {})),
  ];
}

export function acpSuccess({ text, session, tokens }: Sample): string {
  const update = { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } };
  return lines(
    notification('session/update', { sessionId: session, update }),
    result(IDS.prompt, { stopReason: 'end_turn', usage: { inputTokens: tokens, outputTokens: 1 } }),
  );
}

export function acpFailure(error: string): string {
  return lines(failure(IDS.prompt, -32_603, error));
}

/** A request for permission, of an agent that has got a prompt. */
export function acpPermission(session: string, id: number): string {
  return lines({
    jsonrpc: '2.0',
    id,
    method: 'session/request_permission',
    params: {
      sessionId: session,
      toolCall: {
        toolCallId: `call-${id}`,
        title: 'a command',
        kind: 'execute',
        rawInput: { command: 'date' },
      },
      options: [
        { optionId: 'yes', kind: 'allow_once', name: 'Allow' },
        { optionId: 'no', kind: 'reject_once', name: 'Reject' },
      ],
    },
  });
}
