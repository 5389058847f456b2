/** Actors: who caused an event, as the log has it. `user:<name>` is a person, `agent:<id>` an attempt of an agent. */

/** A local caller without a token, while there are none. */
export const ANONYMOUS = 'user:anonymous';
/** A program that uses Signalbox as a library. */
export const LIBRARY = 'user:library';
/** An operator by the rights of its NATS user, who sent no token although there are some. */
export const NATS_OPERATOR = 'user:nats';
/** The holder of an answer link. */
const LINK_HOLDER = 'user:link';

/** How Signalbox itself appears. */
export const SUPERVISOR_NAME = 'supervisor';

/** Callers that Signalbox does not know by name, and that are trusted to say who they are. */
const UNNAMED: ReadonlySet<string> = new Set([ANONYMOUS, LIBRARY]);

/** Names that no person may have: they stand for callers without a name, and for Signalbox itself. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  ...[ANONYMOUS, LIBRARY, NATS_OPERATOR, LINK_HOLDER].map((actor) => nameOf(actor)),
  SUPERVISOR_NAME,
]);

export function userActor(name: string): string {
  return `user:${name}`;
}

export function agentActor(id: string): string {
  return `agent:${id}`;
}

/** Whether the caller may name the person for whom it speaks: Signalbox knows no other name. */
export function isUnnamed(actor: string): boolean {
  return UNNAMED.has(actor);
}

/** The name of a user or the id of an agent. */
export function nameOf(actor: string): string {
  return actor.replace(/^(?:user|agent):/, '');
}
