/** Names of queues in the log: `agent:<id>` for the tasks of one agent, `type:<name>` for those of one type. */

export interface QueueParts {
  readonly kind: 'agent' | 'type';
  /** Of the agent, or of the type. */
  readonly name: string;
}

export function queueParts(queue: string): QueueParts {
  const colon = queue.indexOf(':');
  return { kind: queue.startsWith('agent:') ? 'agent' : 'type', name: queue.slice(colon + 1) };
}

/** `agent writer`, `type build`: for sentences and the command line. */
export function queueText(queue: string): string {
  const { kind, name } = queueParts(queue);
  return `${kind} ${name}`;
}
