/** Pause, drain and resume an agent. */
import { useSignal } from '@preact/signals';
import type { AgentAnswer } from '../../src/contracts/answers.ts';
import { ApiError, path, post } from '../api/http.ts';
import { mayNow } from '../state/rights.ts';
import { decider } from '../state/session.ts';
import { notify } from './notices.tsx';

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
  const isSending = useSignal(false);
  if (!mayNow('operate')) return null;
  const send = async (verb: Verb): Promise<void> => {
    isSending.value = true;
    try {
      await post(path`/api/agents/${agent.id}/${verb}`, decider());
      notify(`${agent.id} is ${VERBS[verb].done}.`);
    } catch (error) {
      notify(error instanceof ApiError ? error.message : String(error), 'bad');
    } finally {
      isSending.value = false;
    }
  };
  return (
    <div class="actions">
      {possible(agent.state).map((verb) => (
        <button
          type="button"
          key={verb}
          title={VERBS[verb].hint}
          aria-label={`${VERBS[verb].label}: ${agent.id}`}
          disabled={isSending.value}
          onClick={() => void send(verb)}
        >
          {VERBS[verb].label}
        </button>
      ))}
    </div>
  );
}
