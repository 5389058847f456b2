/**
 * Who speaks.
 *
 * Q1 An attempt's token lets its holder speak of its own attempt and nothing else: an agent decides nothing about
 *    tasks, least of all that its own work is good.
 */
import { SignalboxError } from '../contracts/errors.ts';

/** People have no login yet: whoever reaches the server without a token is taken for a person. */
export const ANONYMOUS = 'user:anonymous';

const BEARER = /^Bearer +([\w~+/.-]+=*) *$/i;

/** The token of `Authorization: Bearer …`, or null without that header. @throws SignalboxError `unauthorized` */
export function tokenOf(authorization: string | undefined): string | null {
  if (authorization === undefined) return null;
  const token = BEARER.exec(authorization)?.[1];
  if (token !== undefined) return token;
  throw new SignalboxError('unauthorized', 'the header Authorization must have the form "Bearer TOKEN"');
}

/** The actor of an operator's decision. @throws SignalboxError `forbidden`, `unauthorized` */
export function operatorOf(authorization: string | undefined): string {
  if (tokenOf(authorization) === null) return ANONYMOUS;
  throw new SignalboxError(
    'forbidden',
    'this is decided by an operator, and an attempt token does not make one: an agent reports with POST …/status, …/outputs and …/comments',
  );
}
