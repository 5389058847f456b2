/** Reads how a run ended, from everything that its agent has printed. */
import { JsonLines } from '../../declared/json-output.ts';
import type { OutputReading } from '../../declared/reading.ts';
import type { RunRequest } from '../../driver.ts';
import { AgentState, IDS } from './agent-state.ts';
import type { AcpError } from './messages.ts';

export async function readAcpOutput(
  pieces: AsyncIterable<Buffer>,
  { resumes }: RunRequest,
): Promise<OutputReading> {
  const state = new AgentState(resumes?.session);
  let events = 0;
  const lines = new JsonLines((event) => {
    events++;
    state.receive(event);
  });
  for await (const piece of pieces) lines.write(piece);
  lines.end();
  return {
    ...endOf(state),
    session: state.sessionId,
    usage: state.usage,
    events,
    ignored: lines.ignored,
    tooLong: lines.tooLong,
  };
}

function endOf(state: AgentState): Pick<OutputReading, 'status' | 'text' | 'error'> {
  const { last, text } = state;
  if (last === undefined) return { status: 'nothing', error: errorBefore(state) };
  if ('error' in last) return { status: 'failed', error: errorText(last.error) };
  const fault = faultOf(last.stopReason);
  return fault === undefined ? { status: 'ok', text } : { status: 'failed', error: fault };
}

/** Why a turn counts as failed; undefined for one that was done. */
function faultOf(stopReason: string): string | undefined {
  switch (stopReason) {
    case 'end_turn':
      return undefined;
    case 'max_tokens':
      return 'its model reached its limit of tokens before it was done (stopReason max_tokens)';
    case 'max_turn_requests':
      return 'it reached its limit of requests to the model before it was done (stopReason max_turn_requests)';
    case 'refusal':
      return 'its model refused to go on (stopReason refusal)';
    case 'cancelled':
      return 'its turn was cancelled (stopReason cancelled)';
    default:
      return `it stopped for another reason: ${stopReason.slice(0, 200)}`;
  }
}

/** The error of a request before the first turn. */
function errorBefore({ answers, session }: AgentState): string | undefined {
  for (const id of [IDS.initialize, IDS.session, IDS.mode, IDS.model]) {
    const answer = answers.get(id);
    if (answer?.error && !(id === IDS.session && session)) return errorText(answer.error);
  }
  return undefined;
}

const MAX_DETAILS = 2_000;

/** Its message, and what it says beside it: some agents give the reason only there. */
export function errorText({ message, data }: AcpError): string {
  const details =
    typeof data === 'string' ? data : data === undefined || data === null ? '' : JSON.stringify(data);
  const more =
    details === '' || details === '{}' || message.includes(details)
      ? ''
      : ` (${details.slice(0, MAX_DETAILS)})`;
  return `${message.slice(0, 60_000)}${more}`;
}
