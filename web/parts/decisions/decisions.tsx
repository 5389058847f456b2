/**
 * Buttons for what a user can decide about a task, an agent or a queue. What can be undone, or only says yes, is sent at
 * once; the others open a dialog before.
 */
import { useSignal } from '@preact/signals';
import { post, reasonOf } from '../../api/http.ts';
import { mayNow } from '../../state/rights.ts';
import { decider } from '../../state/session.ts';
import { notify } from '../base/notices.tsx';
import { type DecisionBody, Question } from './question.tsx';

export interface Decision {
  /** Last part of the address that it is sent to. */
  readonly verb: string;
  readonly label: string;
  /** What it does. */
  readonly hint: string;
  /** What its subject is afterwards, for the notice: "x is paused". */
  readonly done: string;
  readonly tone?: 'good' | 'bad';
  readonly needsComment?: boolean;
  /** Sent at once, without a dialog: it needs no comment, and destroys nothing. */
  readonly isImmediate?: boolean;
  /** The key that decides about the focused row, or about the page. */
  readonly key?: string;
  /** How many tasks below it can be decided about with it; none if absent. */
  readonly below?: number;
  /** The field of the request that has the comment; `comment` if absent. */
  readonly field?: 'text';
}

export interface DecisionsProps {
  /** Those that are possible now. */
  readonly decisions: readonly Decision[];
  /** What is decided about: in titles, and in the notice that follows. */
  readonly subject: string;
  readonly name: string;
  /** Address without the verb. */
  readonly url: string;
  readonly onDone?: (() => void) | undefined;
}

/** Renders nothing for users who may not decide, and while the page shows the past. */
export function Decisions({ decisions, subject, name, url, onDone }: DecisionsProps) {
  const chosen = useSignal<Decision | null>(null);
  const isSending = useSignal(false);
  if (!mayNow('operate')) return null;
  const choose = (decision: Decision | null): void => {
    chosen.value = decision;
  };
  const send = async ({ verb, done, field }: Decision, body: DecisionBody): Promise<void> => {
    const { comment, ...sender } = body;
    await post(`${url}/${verb}`, field === undefined ? body : { ...sender, [field]: comment });
    notify(`${name} is ${done}.`);
    choose(null);
    onDone?.();
  };
  const sendNow = async (each: Decision): Promise<void> => {
    isSending.value = true;
    try {
      await send(each, decider());
    } catch (error) {
      notify(reasonOf(error), 'bad');
    } finally {
      isSending.value = false;
    }
  };
  const titleOf = ({ label }: Decision): string => `${label}: ${subject}`;
  const decision = chosen.value;
  return (
    <div class="actions">
      {decisions.map((each) => (
        <button
          type="button"
          key={each.verb}
          title={each.hint}
          data-tone={each.tone}
          aria-label={titleOf(each)}
          aria-keyshortcuts={each.key}
          disabled={isSending.value}
          onClick={() => (each.isImmediate ? void sendNow(each) : choose(each))}
        >
          {each.label}
        </button>
      ))}
      {decision && (
        <Question
          title={titleOf(decision)}
          decision={decision}
          send={(body) => send(decision, body)}
          onClose={() => choose(null)}
        />
      )}
    </div>
  );
}
