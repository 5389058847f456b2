/**
 * Access: who may use which operation. The error is 401 if the caller is unknown, also while no token is needed and one is
 * sent that is not valid; it is 403 if the caller is known and not allowed.
 *
 * Invariant access/attempt-speaks-for-itself: an attempt's token lets its holder report about its own attempt, and read and
 * create children of its own task. It decides only about tasks that it was given to review, never about its own work.
 * Invariant access/open-on-loopback-only: as long as there were no tokens for people, a caller without a token is an operator,
 * on a loopback address only. From the first token on every caller needs one, also when the tokens are gone (access-state.ts).
 */
import type { AttemptPrincipal } from '../../app/agents/agent-messages.ts';
import { ANONYMOUS, agentActor, userActor } from '../../contracts/actors.ts';
import { RIGHTS, type Right } from '../../contracts/api/caller.ts';
import { SignalboxError, unreachable } from '../../contracts/errors.ts';
import type { AttemptRef } from '../../contracts/ids.ts';

/** The right that an operation needs; `public` needs none. */
export type Access = 'public' | Right;

type Role = 'admin' | 'observer' | 'attempt';

export interface Caller {
  /** `user:<name>` or `agent:<id>`, as the log has it. */
  readonly actor: string;
  readonly role: Role;
  /** Of an attempt; null for people. */
  readonly token: string | null;
  /** The attempt to which the token belongs; null for people. */
  readonly attempt: AttemptRef | null;
}

/** The tokens of people. */
export interface PeopleTokens {
  readonly isEmpty: boolean;
  /** Whether no token is needed: there never were any, or an operator has opened access. */
  readonly isOpen: boolean;
  /** null for a token that is not (or no longer) known. */
  find(token: string): { readonly name: string; readonly role: 'admin' | 'observer' } | null;
}

export interface GateRules {
  readonly people: PeopleTokens;
  /** Whether no token is needed while there are none: on a loopback address. */
  readonly mayBeOpen: boolean;
  /** The attempt that a token belongs to, among those of the task in the address and all open ones. */
  readonly principalOf: (
    token: string,
    address: { project?: string | undefined; task?: string },
  ) => AttemptPrincipal | null;
}

/** What a caller wants to do. */
interface Target {
  readonly access: Access;
  readonly project?: string;
  readonly isProjectInQuery?: true;
}

/** Where it wants to do it, as it was sent. */
export interface Address {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: unknown;
}

/** A caller without a name. */
export const anonymous = (role: Role): Caller => ({ actor: ANONYMOUS, role, token: null, attempt: null });

const BEARER = /^Bearer +([\w~+/.-]+=*) *$/i;

/** The token of the header `Authorization: Bearer …`, or null without it. @throws SignalboxError `unauthorized` */
export function tokenOf(authorization: string | undefined): string | null {
  if (authorization === undefined) return null;
  const token = BEARER.exec(authorization)?.[1];
  if (token !== undefined) return token;
  throw new SignalboxError('unauthorized', 'the header Authorization must have the form "Bearer TOKEN"');
}

export class Gatekeeper {
  readonly #rules: GateRules;

  constructor(rules: GateRules) {
    this.#rules = rules;
  }

  /** @throws SignalboxError `unauthorized`, `forbidden` */
  admit(
    { access, project, isProjectInQuery }: Target,
    authorization: string | undefined,
    { params, query }: Address = {},
  ): Caller {
    const address = { project: isProjectInQuery ? projectIn(query) : project, ...params };
    if (access === 'public') return anonymous('observer');
    const { people, mayBeOpen, principalOf } = this.#rules;
    const isOpen = mayBeOpen && people.isOpen;
    const token = tokenOf(authorization);
    if (token === null) {
      if (isOpen) return anonymous('admin');
      throw new SignalboxError(
        'unauthorized',
        'send a token, "Authorization: Bearer TOKEN"; create one with "signalbox token new"',
      );
    }
    const person = people.find(token);
    if (person) {
      const { name, role } = person;
      if (isAllowed(access, role)) return { actor: userActor(name), role, token: null, attempt: null };
      throw new SignalboxError('forbidden', refusalOf(access, role));
    }
    const principal = principalOf(token, address);
    if (!principal) {
      throw new SignalboxError(
        'unauthorized',
        'the token is not valid: it was revoked, or belongs to an attempt that is over',
      );
    }
    // What it creates belongs to its task, also while everybody may read everything.
    const isAtHome =
      address.project === principal.project ||
      (isProjectInQuery && namesNoProject(query)) ||
      (isOpen && access !== 'create');
    if (isAllowed(access, 'attempt') && isAtHome)
      return { actor: agentActor(principal.agent), role: 'attempt', token, attempt: principal };
    throw new SignalboxError('forbidden', refusalOf(access, 'attempt'));
  }
}

/** The rights of the caller; an attempt has them for its own task only. */
export function rightsOf({ role }: Caller): Right[] {
  return RIGHTS.filter((right) => isAllowed(right, role));
}

/** The one project that a query names; undefined for none, and for several. */
function projectIn(query: unknown): string | undefined {
  const named = namedProject(query);
  return typeof named === 'string' ? named : undefined;
}

/** Whether a query names no project: an attempt then means its own (perform.ts). */
export function namesNoProject(query: unknown): boolean {
  return namedProject(query) === undefined;
}

function namedProject(query: unknown): unknown {
  return typeof query === 'object' && query !== null && 'project' in query ? query.project : undefined;
}

function isAllowed(access: Access, role: Role): boolean {
  switch (access) {
    case 'public':
    case 'read':
      return true;
    case 'create':
    case 'comment':
      return role !== 'observer';
    case 'speak':
      return role === 'attempt';
    case 'decide':
      return role !== 'observer';
    case 'operate':
      return role === 'admin';
    default:
      return unreachable(access, 'isAllowed');
  }
}

function refusalOf(access: Access, role: Role): string {
  if (role === 'observer') return 'the token of an observer allows reading only';
  if (access === 'speak')
    return 'only the agent itself reports about its attempt, with the token of that attempt';
  return access === 'operate'
    ? 'this is for operators, and an attempt token is not one: an agent reports with POST …/status, …/outputs and …/comments'
    : 'an attempt token is valid for its own project only';
}
