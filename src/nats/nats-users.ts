/**
 * The users of the NATS server, and the least that each role needs.
 *
 * Invariant nats/answers-stay-with-the-asker: only Signalbox uses the account with the log. Every other user has an account
 * of its own, into which it imports single services and streams of that account (nats-accounts.ts). A server sends answers
 * (acknowledgements, errors, "no messages") to whatever reply subject a request names, with its own rights: an account
 * keeps them away from the subjects of the log, of JetStream and of other users.
 *
 * An agent publishes in its own subtree and reads its own queue; its id is a fixed token of every subject that it may use.
 * Only the supervisor publishes events, changes streams and consumers, and reads other inboxes. An observer has no consumer:
 * a user who may create one may have it deliver to any subject.
 */
import { unreachable } from '../contracts/errors.ts';
import {
  agentSubject,
  bucketStream,
  commandSubject,
  controlSubject,
  EVENT_STREAM,
  fileBucket,
  inboxPrefix,
  LIVE_SUBJECTS,
  REJECTED_STREAM,
  WORK_STREAM,
} from '../contracts/messages/subjects.ts';

export const NATS_ROLES = ['supervisor', 'agent', 'observer', 'operator'] as const;
export type NatsRole = (typeof NATS_ROLES)[number];

/** A user of the server. It authenticates with the seed of an nkey, or with a password; the server knows neither. */
export interface NatsUser {
  /** For an agent its id. Inboxes have this name. */
  readonly name: string;
  readonly role: NatsRole;
  /** The public part; absent for a user with a password. */
  readonly nkey?: string | undefined;
  /** By bcrypt; absent for a user with an nkey. */
  readonly password_hash?: string | undefined;
}

export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What a user may use of the account with the log. */
export interface Access {
  /** Subjects of requests with one answer, or none. */
  readonly requests: readonly string[];
  /** Subjects of requests with any number of answers. */
  readonly streamedRequests: readonly string[];
  /** Subjects that it may follow. */
  readonly follows: readonly string[];
}

export type OtherRole = Exclude<NatsRole, 'supervisor'>;

/** A user that has an account of its own. */
export interface OtherUser {
  readonly name: string;
  readonly role: OtherRole;
}

export function accessOf({ name, role }: OtherUser): Access {
  switch (role) {
    case 'agent':
      return {
        requests: [
          agentSubject(name, '>'),
          `$JS.API.CONSUMER.INFO.${WORK_STREAM}.${name}`,
          `$JS.ACK.${WORK_STREAM}.${name}.>`,
          // With a domain and an account hash, as newer servers may write them.
          `$JS.ACK.*.*.${WORK_STREAM}.${name}.>`,
          `$O.${fileBucket(name)}.>`,
          `$JS.API.STREAM.MSG.GET.${bucketStream(name)}`,
          `$JS.API.DIRECT.GET.${bucketStream(name)}.>`,
        ],
        // Answers to a pull are jobs, and what the server says in their place.
        streamedRequests: [`$JS.API.CONSUMER.MSG.NEXT.${WORK_STREAM}.${name}`],
        follows: [controlSubject(name, '>')],
      };
    case 'observer':
      return { requests: directGets(EVENT_STREAM), streamedRequests: [], follows: [LIVE_SUBJECTS] };
    case 'operator':
      return {
        requests: [commandSubject('*', '*'), ...directGets(EVENT_STREAM), ...directGets(REJECTED_STREAM)],
        // Every instance of every service answers.
        streamedRequests: ['$SRV.>'],
        follows: [LIVE_SUBJECTS],
      };
    default:
      return unreachable(role, 'accessOf');
  }
}

export function permissionsOf({ name, role }: Pick<NatsUser, 'name' | 'role'>): Permissions {
  if (role === 'supervisor') return { publish: ['>'], subscribe: ['>'] };
  const { requests, streamedRequests, follows } = accessOf({ name, role });
  return {
    publish: [...requests, ...streamedRequests],
    subscribe: [...follows, `${inboxPrefix(name)}.>`],
  };
}

function directGets(stream: string): string[] {
  return [`$JS.API.DIRECT.GET.${stream}`, `$JS.API.DIRECT.GET.${stream}.>`];
}
