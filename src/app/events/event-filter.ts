/** Which events somebody wants to hear of. */
import type { DomainEvent } from '../../contracts/events/events.ts';

export interface EventFilter {
  readonly project?: string | undefined;
  readonly task?: string | undefined;
  /** Types, or beginnings of types as in `task.*`; all where it is absent. */
  readonly types?: readonly string[] | undefined;
}

export interface EventAddress {
  readonly type: string;
  /** null for what belongs to no project. */
  readonly project: string | null;
  readonly task: string | null;
}

export function addressOf(event: DomainEvent): EventAddress {
  if ('task' in event) return { type: event.type, project: event.project, task: event.task };
  return { type: event.type, project: null, task: null };
}

/** Equal filters have equal keys. */
export function keyOf({ project = '', task = '', types = [] }: EventFilter): string {
  return `${project}/${task}/${[...types].sort().join()}`;
}

export function matcherOf({ project, task, types }: EventFilter): (event: EventAddress) => boolean {
  const exact = new Set(types?.filter((type) => !type.endsWith('*')));
  const beginnings = types?.filter((type) => type.endsWith('*')).map((type) => type.slice(0, -1)) ?? [];
  return (event) =>
    (project === undefined || event.project === project) &&
    (task === undefined || event.task === task) &&
    (types === undefined ||
      exact.has(event.type) ||
      beginnings.some((beginning) => event.type.startsWith(beginning)));
}
