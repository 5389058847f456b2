/**
 * The permissions of each role on the NATS server: the least that it needs, in an account of its own.
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

export function permissionsOf({ name, role }: Pick<NatsUser, 'name' | 'role'>): Permissions {
  const inbox = `${inboxPrefix(name)}.>`;
  switch (role) {
    case 'supervisor':
      return { publish: ['>'], subscribe: ['>'] };
    case 'agent':
      return {
        publish: [
          agentSubject(name, '>'),
          `$JS.API.CONSUMER.INFO.${WORK_STREAM}.${name}`,
          `$JS.API.CONSUMER.MSG.NEXT.${WORK_STREAM}.${name}`,
          `$JS.ACK.${WORK_STREAM}.${name}.>`,
          // With a domain and an account hash, as newer servers may write them.
          `$JS.ACK.*.*.${WORK_STREAM}.${name}.>`,
          `$O.${fileBucket(name)}.>`,
          `$JS.API.STREAM.MSG.GET.${bucketStream(name)}`,
          `$JS.API.DIRECT.GET.${bucketStream(name)}.>`,
        ],
        subscribe: [controlSubject(name, '>'), inbox],
      };
    case 'observer':
      return { publish: directGets(EVENT_STREAM), subscribe: [LIVE_SUBJECTS, inbox] };
    case 'operator':
      return {
        publish: [
          commandSubject('*', '*'),
          '$SRV.>',
          ...directGets(EVENT_STREAM),
          ...directGets(REJECTED_STREAM),
        ],
        subscribe: [LIVE_SUBJECTS, inbox],
      };
    default:
      return unreachable(role, 'permissionsOf');
  }
}

function directGets(stream: string): string[] {
  return [`$JS.API.DIRECT.GET.${stream}`, `$JS.API.DIRECT.GET.${stream}.>`];
}

/** `users: […]` of an account, as in `nats.conf`. @param others finished entries */
export function usersConf(users: readonly NatsUser[], others: readonly string[] = []): string {
  const entries = [...others, ...users.map(entryOf)];
  return `users: [\n${entries.map((entry) => `  ${entry}\n`).join('')}]\n`;
}

function entryOf(user: NatsUser): string {
  const { publish, subscribe } = permissionsOf(user);
  return [
    `# ${user.role} ${user.name}`,
    '{',
    user.nkey === undefined
      ? `  user: "${user.name}", password: "${user.password_hash ?? ''}"`
      : `  nkey: ${user.nkey}`,
    '  permissions: {',
    `    publish: { allow: [${list(publish)}] }`,
    `    subscribe: { allow: [${list(subscribe)}] }`,
    '  }',
    '}',
  ].join('\n  ');
}

function list(subjects: readonly string[]): string {
  return subjects.map((subject) => `"${subject}"`).join(', ');
}
