/** What the server answers to an append. */
import type { Msg } from '@nats-io/transport-node';
import { messageOf, unreachable } from '../../contracts/errors.ts';

export type Acknowledgement =
  | { readonly kind: 'stored'; readonly sequence: number }
  /** A message with this id is in the log already; which one, and where, the log itself must tell. */
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'refused'; readonly reason: string };

interface Answer {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly description?: string };
}

/** Never throws: what cannot be read counts as refused. */
export function readAcknowledgement(message: Msg): Acknowledgement {
  // An empty answer is the server's "no responders": no stream listens.
  if (message.data.length === 0) return refused('no stream takes the subject');
  let answer: Answer | null;
  try {
    answer = message.json<Answer | null>();
  } catch (error) {
    return refused(`an answer that is not JSON: ${messageOf(error)}`);
  }
  if (answer?.error) return refused(answer.error.description ?? 'an error without a description');
  if (answer?.duplicate) return { kind: 'duplicate' };
  if (typeof answer?.seq !== 'number') return refused('an answer without a sequence');
  return { kind: 'stored', sequence: answer.seq };
}

/** Why an acknowledgement is not the expected one. */
export function describeAcknowledgement(answer: Acknowledgement): string {
  switch (answer.kind) {
    case 'refused':
      return answer.reason;
    case 'duplicate':
      return 'acknowledged as a duplicate';
    case 'stored':
      return `acknowledged out of order, as message ${answer.sequence}`;
    default:
      return unreachable(answer, 'acknowledgement');
  }
}

function refused(reason: string): Acknowledgement {
  return { kind: 'refused', reason };
}
