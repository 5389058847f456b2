/**
 * The users and accounts as the configuration of a nats-server has them, in two files: one is included in the account with
 * the log, the other beside it, in `accounts`.
 */
import { accountOfUser } from '../contracts/messages/subjects.ts';
import { accessOf, type NatsUser, type OtherUser, permissionsOf } from './nats-users.ts';

/** Names of the files in which nats-server finds the users. */
export const USERS_CONF = 'users.conf';
export const ACCOUNTS_CONF = 'accounts.conf';

/**
 * How long the server remembers where an answer goes that has not come. A pull may wait for as long; a user that asks for
 * answers that never come fills memory for no longer.
 */
const ANSWER_WITHIN = '35s';

/**
 * Every account imports this though no user may publish it: a server gives an account that does not import it the whole
 * API of JetStream, which then also answers, with "JetStream not enabled for account", what this account imports of it.
 */
const JETSTREAM_INFO = '$JS.API.INFO';

interface Export {
  readonly subject: string;
  readonly kind: 'request' | 'streamed request' | 'stream';
  readonly accounts: string[];
}

/** What the account with the log includes: its own users, and what other accounts may use of it. */
export function usersConf(users: readonly NatsUser[], others: readonly string[] = []): string {
  const entries = [...others, ...users.filter(({ role }) => role === 'supervisor').map(entryOf)];
  const exported = exportsFor(users.filter(hasOwnAccount)).map(exportConf);
  return `${listConf('users', entries)}${listConf('exports', exported)}`;
}

/** The accounts of all other users, each with its user. @param logAccount name of the account with the log */
export function accountsConf(users: readonly NatsUser[], logAccount: string): string {
  return users
    .filter(hasOwnAccount)
    .map((user) => {
      const { requests, streamedRequests, follows } = accessOf(user);
      const imports = [
        ...[JETSTREAM_INFO, ...requests, ...streamedRequests].map((subject) =>
          importConf('service', logAccount, subject),
        ),
        ...follows.map((subject) => importConf('stream', logAccount, subject)),
      ];
      const content = `${listConf('users', [entryOf(user)])}${listConf('imports', imports)}`;
      return `"${accountOf(user)}": {\n${indented(content)}}\n`;
    })
    .join('');
}

type Own = NatsUser & OtherUser;

function hasOwnAccount(user: NatsUser): user is Own {
  return user.role !== 'supervisor';
}

function accountOf({ role, name }: Pick<NatsUser, 'role' | 'name'>): string {
  return accountOfUser(role, name);
}

/** Each subject once, with all accounts that import it. */
function exportsFor(users: readonly Own[]): Export[] {
  const found = new Map<string, Export>();
  for (const user of users) {
    const { requests, streamedRequests, follows } = accessOf(user);
    const kinds = [
      ['request', [JETSTREAM_INFO, ...requests]],
      ['streamed request', streamedRequests],
      ['stream', follows],
    ] as const;
    for (const [kind, subjects] of kinds) {
      for (const subject of subjects) {
        const present = found.get(subject) ?? { subject, kind, accounts: [] };
        present.accounts.push(accountOf(user));
        found.set(subject, present);
      }
    }
  }
  return [...found.values()];
}

function exportConf({ subject, kind, accounts }: Export): string {
  const to = `accounts: [${accounts.map((account) => `"${account}"`).join(', ')}]`;
  if (kind === 'stream') return `{ stream: "${subject}", ${to} }`;
  const type = kind === 'streamed request' ? 'Stream' : 'Singleton';
  return `{ service: "${subject}", response_type: ${type}, response_threshold: "${ANSWER_WITHIN}", ${to} }`;
}

function importConf(kind: 'service' | 'stream', account: string, subject: string): string {
  return `{ ${kind}: { account: "${account}", subject: "${subject}" } }`;
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
    `    publish: { allow: [${subjectList(publish)}] }`,
    `    subscribe: { allow: [${subjectList(subscribe)}] }`,
    '  }',
    '}',
  ].join('\n');
}

function listConf(name: string, entries: readonly string[]): string {
  return `${name}: [\n${indented(entries.map((entry) => `${entry}\n`).join(''))}]\n`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function subjectList(subjects: readonly string[]): string {
  return subjects.map((subject) => `"${subject}"`).join(', ');
}
