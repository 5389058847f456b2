/** An operator, an account with JetStream and a user of it, as `nsc` makes them. */
import { createHash, randomUUID } from 'node:crypto';
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';

export interface JwtWorld {
  /** What the server's configuration says of them. */
  readonly conf: string;
  /** What stands in the user's creds file. */
  readonly creds: string;
}

const UNLIMITED = -1;
const USER_LIMITS = { subs: UNLIMITED, data: UNLIMITED, payload: UNLIMITED };
const ACCOUNT_LIMITS = {
  ...USER_LIMITS,
  ...{ conn: UNLIMITED, leaf: UNLIMITED, imports: UNLIMITED, exports: UNLIMITED, wildcards: true },
};
const JETSTREAM_LIMITS = {
  mem_storage: UNLIMITED,
  disk_storage: UNLIMITED,
  streams: UNLIMITED,
  consumer: UNLIMITED,
};

export function jwtWorld(): JwtWorld {
  const [operator, account, user] = [createOperator(), createAccount(), createUser()];
  // JetStream needs an account for the server itself, which may not use it.
  const [id, systemId] = [account.getPublicKey(), createAccount().getPublicKey()];
  const limits = { ...ACCOUNT_LIMITS, ...JETSTREAM_LIMITS };
  const accountJwt = sign(operator, id, { type: 'account', limits });
  const systemJwt = sign(operator, systemId, { type: 'account', limits: ACCOUNT_LIMITS });
  const userJwt = sign(account, user.getPublicKey(), { type: 'user', ...USER_LIMITS });
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    conf: [
      `operator: ${sign(operator, operator.getPublicKey(), { type: 'operator' })}`,
      'resolver: MEMORY',
      `system_account: ${systemId}`,
      `resolver_preload: { ${id}: ${accountJwt}, ${systemId}: ${systemJwt} }`,
    ].join('\n'),
    creds: [
      `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------\n`,
      `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
    ].join('\n'),
  };
}

function sign(issuer: KeyPair, subject: string, claims: object): string {
  const jti = createHash('sha256').update(randomUUID()).digest('hex');
  const iat = Math.floor(Date.now() / 1_000);
  const nats = { version: 2, ...claims };
  const payload = { jti, iat, iss: issuer.getPublicKey(), name: 'test', sub: subject, nats };
  const body = [{ typ: 'JWT', alg: 'ed25519-nkey' }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${body}.${Buffer.from(issuer.sign(new TextEncoder().encode(body))).toString('base64url')}`;
}
