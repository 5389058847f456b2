/** Pause, drain and resume an agent. */
import { useSignal } from '@preact/signals';
import type { AgentAnswer } from '../../../src/contracts/api/answers.ts';
import { path, post } from '../../api/http.ts';
import { mayNow } from '../../state/rights.ts';
import { notify } from '../base/notices.tsx';
import { type DecisionBody, Question } from './question.tsx';

const VERBS = {
  pause: {
    label: 'Pause',
    hint: 'It takes no more tasks until it is resumed; what it does goes on.',
    done: 'paused',
  },
  drain: { label: 'Drain', hint: 'It finishes what it does, and takes no more tasks.', done: 'draining' },
  resume: { label: 'Resume', hint: 'It takes tasks again.', done: 'taking tasks again' },
} as const;
type Verb = keyof typeof VERBS;

function possible(state: string): readonly Verb[] {
  if (state === 'idle' || state === 'busy' || state === 'probing') return ['pause', 'drain'];
  if (state === 'offline') return [];
  return ['resume'];
}

export function AgentActions({ agent }: { readonly agent: AgentAnswer }) {
  const asked = useSignal<Verb | null>(null);
  if (!mayNow('operate')) return null;
  const close = (): void => {
    asked.value = null;
  };
  const titleOf = (verb: Verb): string => `${VERBS[verb].label}: ${agent.id}`;
  const send = async (verb: Verb, body: DecisionBody): Promise<void> => {
    await post(path`/api/agents/${agent.id}/${verb}`, body);
    notify(`${agent.id} is ${VERBS[verb].done}.`);
    close();
  };
  const verb = asked.value;
  return (
    <div class="actions">
      {possible(agent.state).map((each) => (
        <button
          type="button"
          key={each}
          title={VERBS[each].hint}
          aria-label={titleOf(each)}
          onClick={() => {
            asked.value = each;
          }}
        >
          {VERBS[each].label}
        </button>
      ))}
      {verb && (
        <Question
          title={titleOf(verb)}
          hint={VERBS[verb].hint}
          label={VERBS[verb].label}
          comment="possible"
          send={(body) => send(verb, body)}
          onClose={close}
        />
      )}
    </div>
  );
}
