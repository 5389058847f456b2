/** Agents for people. */
import type { AgentAnswer } from '../../contracts/api/answers.ts';
import type { Style } from '../terminal.ts';

const STYLES: Readonly<Record<string, Style>> = {
  idle: 'green',
  busy: 'cyan',
  paused: 'yellow',
  draining: 'yellow',
  drained: 'yellow',
  probing: 'yellow',
  parked: 'red',
  offline: 'red',
};

export function styleOfAgent({ state }: AgentAnswer): Style {
  return STYLES[state] ?? 'dim';
}

/** Why it takes no tasks, who said so, and until when; empty where it does. */
export function holdText({ reason, by, parked_until: until }: AgentAnswer): string {
  const parts = [reason, by === null ? null : `by ${by}`, until === null ? null : `until ${until}`];
  return parts.filter((part) => part !== null).join(', ');
}
