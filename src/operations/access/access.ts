/**
 * Who may do what.
 *
 * Q1 An attempt's token lets its holder speak of its own attempt, read and add tasks in its own project, and nothing
 *    else: an agent decides nothing about tasks but those that it was given to review, and its own work is never one.
 * Q2 As long as there are no tokens for people, whoever reaches the server without one is taken for an operator; that
 *    is possible on a loopback address only. With the first token, nobody is let in without one.
 * Q3 401 where it is not known who asks, 403 where it is known and not allowed.
 */
import type { AttemptPrincipal } from '../../app/agents/agent-messages.ts';
import { RIGHTS, type Right } from '../../contracts/api/caller.ts';
import { SignalboxError, unreachable } from '../../contracts/errors.ts';

/** Who may use an operation; `public` is for everybody. */
export type Access = 'public' | Right;

type Role = 'admin' | 'observer' | 'attempt';

export interface Caller {
  /** `user:<name>` or `agent:<id>`, as the log has it. */
  readonly actor: string;
  readonly role: Role;
  /** Of an attempt; null for people. */
  readonly token: string | null;
}

/** The tokens of people. */
export interface PeopleTokens {
  readonly isEmpty: boolean;
  /** null for a token that is not (or no longer) known. */
  find(token: string): { readonly name: string; readonly role: 'admin' | 'observer' } | null;
}

export interface GateRules {
  readonly people: PeopleTokens;
  /** Whether nobody needs a token where there are none: on a loopback address. */
  readonly mayBeOpen: boolean;
  /** Whose token this is, of all attempts of the task in the address, and all that are open. */
  readonly principalOf: (
    token: string,
    address: { project?: string | undefined; task?: string },
  ) => AttemptPrincipal | null;
}

/** Whoever reaches a server without tokens is taken for a person. */
export const ANONYMOUS = 'user:anonymous';

/** Somebody who has not said who he is, and is taken for a person. */
export const anonymous = (role: Role, token: string | null = null): Caller => ({
  actor: ANONYMOUS,
  role,
  token,
});

const BEARER = /^Bearer +([\w~+/.-]+=*) *$/i;

/** The token of `Authorization: Bearer …`, or null without that header. @throws SignalboxError `unauthorized` */
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
    { access, project }: { readonly access: Access; readonly project?: string },
    authorization: string | undefined,
    params: Readonly<Record<string, string>> = {},
  ): Caller {
    const address = { project, ...params };
    if (access === 'public') return anonymous('observer');
    const { people, mayBeOpen, principalOf } = this.#rules;
    const isOpen = mayBeOpen && people.isEmpty;
    const token = tokenOf(authorization);
    if (token === null) {
      if (isOpen) return anonymous('admin');
      throw new SignalboxError(
        'unauthorized',
        'send a token, "Authorization: Bearer TOKEN": "signalbox token new" makes one',
      );
    }
    const person = people.find(token);
    if (person) {
      const { name, role } = person;
      if (isAllowed(access, role)) return { actor: `user:${name}`, role, token: null };
      throw new SignalboxError('forbidden', refusalOf(access, role));
    }
    const speaker = principalOf(token, address);
    if (!speaker) return this.#stranger(access, token, isOpen);
    const isAtHome = address.project === undefined ? isOpen : address.project === speaker.project;
    if (isAllowed(access, 'attempt') && (isOpen || isAtHome))
      return { actor: `agent:${speaker.agent}`, role: 'attempt', token };
    throw new SignalboxError('forbidden', refusalOf(access, 'attempt'));
  }

  /** Where nobody needs a token, a read is not refused for one too many; the words of agents name the task. */
  #stranger(access: Access, token: string, isOpen: boolean): Caller {
    if (isOpen && (access === 'read' || access === 'speak' || access === 'comment' || access === 'decide')) {
      return anonymous('attempt', token);
    }
    throw new SignalboxError(
      'unauthorized',
      'the token is not valid: it was revoked, or belongs to an attempt that is over',
    );
  }
}

/** What this caller may do, as far as it depends on nothing else: an attempt speaks of its own task only. */
export function rightsOf({ role }: Caller): Right[] {
  return RIGHTS.filter((right) => isAllowed(right, role));
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
  if (role === 'observer') return 'the token of an observer lets its holder read, and nothing else';
  if (access === 'speak')
    return 'this is said by an agent of its own attempt, with the token of that attempt';
  return access === 'operate'
    ? 'this is decided by an operator, and an attempt token does not make one: an agent reports with POST …/status, …/outputs and …/comments'
    : 'an attempt token is for its own project only';
}
