/** Pause, drain and resume an agent. */
import { path } from '../../api/http.ts';
import type { AgentAnswer } from '../../api/types.ts';
import { type Decision, Decisions } from './decisions.tsx';

const PAUSE: Decision = {
  verb: 'pause',
  label: 'Pause',
  hint: 'Assigns no more tasks to this agent until it is resumed. Running attempts continue.',
  done: 'paused',
};
const DRAIN: Decision = {
  verb: 'drain',
  label: 'Drain',
  hint: 'Lets running attempts finish, and assigns no more tasks to this agent.',
  done: 'draining',
};
const RESUME: Decision = {
  verb: 'resume',
  label: 'Resume',
  isImmediate: true,
  hint: 'Assigns tasks to this agent again.',
  done: 'resumed',
};

function possible(state: AgentAnswer['state']): readonly Decision[] {
  if (state === 'idle' || state === 'busy' || state === 'probing') return [PAUSE, DRAIN];
  return state === 'offline' ? [] : [RESUME];
}

export function AgentActions({ agent: { id, state } }: { readonly agent: AgentAnswer }) {
  return <Decisions decisions={possible(state)} subject={id} name={id} url={path`/api/agents/${id}`} />;
}
