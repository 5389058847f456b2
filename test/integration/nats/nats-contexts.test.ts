/** Contexts of the `nats` command line, on real servers that require authentication. */
import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createUser } from '@nats-io/nkeys';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../../../src/config/parse-config.ts';
import { openNatsLink } from '../../../src/daemon/nats-link.ts';
import { configuredNats } from '../../support/nats/configured-nats.ts';
import { jwtWorld } from '../../support/nats/nats-jwt.ts';
import { runCli, startCli, startUp, temporaryDirectory } from '../../support/process/cli.ts';

const PASSWORD = 'pass-word:@/1';
const TOKEN = 'to-ken-2';
const logger = pino({ level: 'silent' });

let home: string;
let env: { readonly XDG_CONFIG_HOME: string };

beforeEach(async () => {
  home = await temporaryDirectory();
  env = { XDG_CONFIG_HOME: home };
  await mkdir(join(home, 'nats', 'context'), { recursive: true });
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

/** Writes what `nats context add` would: every field is there. */
async function addContext(name: string, fields: Readonly<Record<string, string | boolean>>): Promise<void> {
  const empty = {
    description: '',
    token: '',
    user: '',
    password: '',
    creds: '',
    nkey: '',
    cert: '',
    key: '',
  };
  const context = {
    ...empty,
    ca: '',
    nsc: '',
    jetstream_domain: '',
    socks_proxy: '',
    tls_first: false,
    ...fields,
  };
  await writeFile(join(home, 'nats', 'context', `${name}.json`), JSON.stringify(context));
}

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(home, name), text);
  return join(home, name);
}

/** Where it was let in, as others are shown it. */
async function reached(context: string): Promise<string> {
  const link = await openNatsLink({ config: checkConfig({ nats: { context } }), logger, env });
  try {
    await link.connection.flush();
    return link.url;
  } finally {
    await link.close();
  }
}

const refusal = { code: 'nats_unavailable', message: expect.stringMatching(/authorization/i) };

describe('a context authenticates', () => {
  it('with a user and a password', async () => {
    await using nats = await configuredNats(
      `authorization { users: [{ user: "box", password: "${PASSWORD}" }] }`,
    );
    await addContext('right', { url: nats.host, user: 'box', password: PASSWORD });
    expect(await reached('right')).toBe(nats.host);
    await addContext('url', { url: `nats://box:${encodeURIComponent(PASSWORD)}@${nats.host}` });
    expect(await reached('url')).toBe(`nats://${nats.host}`);
    await addContext('wrong', { url: nats.host, user: 'box', password: 'other' });
    await expect(reached('wrong')).rejects.toMatchObject(refusal);
  });

  it('with a token', async () => {
    await using nats = await configuredNats(`authorization { token: "${TOKEN}" }`);
    await addContext('right', { url: `nats://${nats.host}`, token: TOKEN });
    expect(await reached('right')).toBe(`nats://${nats.host}`);
    await addContext('wrong', { url: `nats://${nats.host}`, token: 'other' });
    await expect(reached('wrong')).rejects.toMatchObject(refusal);
  });

  it('with the seed of an nkey', async () => {
    const user = createUser();
    await using nats = await configuredNats(`authorization { users: [{ nkey: ${user.getPublicKey()} }] }`);
    const seed = (pair: typeof user) => new TextDecoder().decode(pair.getSeed());
    await addContext('right', { url: nats.host, nkey: await write('right.nk', seed(user)) });
    expect(await reached('right')).toBe(nats.host);
    await addContext('wrong', { url: nats.host, nkey: await write('wrong.nk', seed(createUser())) });
    await expect(reached('wrong')).rejects.toMatchObject(refusal);
  });

  it('with a creds file of an account under an operator', async () => {
    const [world, stranger] = [jwtWorld(), jwtWorld()];
    await using nats = await configuredNats(world.conf);
    await addContext('right', { url: nats.host, creds: await write('right.creds', world.creds) });
    expect(await reached('right')).toBe(nats.host);
    await addContext('wrong', { url: nats.host, creds: await write('wrong.creds', stranger.creds) });
    await expect(reached('wrong')).rejects.toMatchObject(refusal);
  });

  it.runIf(spawnSync('openssl', ['version']).status === 0)('with a certificate, over TLS', async () => {
    const [cert, key] = [join(home, 'both.crt'), join(home, 'both.key')];
    const { status } = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...[
        '-subj',
        '/CN=signalbox',
        '-addext',
        'subjectAltName=IP:127.0.0.1,DNS:localhost',
        '-out',
        cert,
        '-keyout',
        key,
      ],
    ]);
    expect(status).toBe(0);
    await using nats = await configuredNats(
      `tls { cert_file: "${cert}", key_file: "${key}", ca_file: "${cert}", verify: true }`,
    );
    await addContext('right', { url: `tls://${nats.host}`, cert, key, ca: cert });
    expect(await reached('right')).toBe(`tls://${nats.host}`);
    await addContext('wrong', { url: `tls://${nats.host}`, ca: cert });
    await expect(reached('wrong')).rejects.toMatchObject({ code: 'nats_unavailable' });
  });
});

describe('commands that use a context', () => {
  it('are up, doctor, readers of the log and the worker, and none shows its secrets', async () => {
    await using nats = await configuredNats(
      `authorization { users: [{ user: "box", password: "${PASSWORD}" }] }`,
    );
    await addContext('prod', { url: nats.host, user: 'box', password: PASSWORD });
    const config = 'nats: { context: prod }\nagents:\n  a: { driver: remote }\n';
    await using up = await startUp(config, { env });
    expect(up.process.out).toContain(` at ${nats.host}, data in `);
    const { url } = up;

    const elsewhere = await temporaryDirectory();
    try {
      await write('worker.yaml', 'agents:\n  a: { driver: dry_run }\n');
      const named = { cwd: elsewhere, env: { ...env, NATS_CONTEXT: 'prod' } };
      const doctor = await runCli(['doctor', '--url', url], named);
      expect(doctor.out).toMatch(/^\w+ +nats .*\(answers at 127\.0\.0\.1:\d+\)/m);
      expect(doctor.out).toMatch(/^ok {3}lease +held by process \d+/m);
      const rebuilt = await runCli(['rebuild', '--url', url], named);
      expect(rebuilt).toMatchObject({ code: 0, err: '' });
      expect(rebuilt.out).toContain(`identical to the live state at ${url}`);
      const byOption = ['audit', 'verify', '--nats-context', 'prod'];
      const verified = await runCli(byOption, {
        cwd: elsewhere,
        env: { ...env, NATS_URL: 'nats://127.0.0.1:9' },
      });
      expect(verified).toMatchObject({ code: 0 });
      await using worker = await startCli(
        ['worker', '--agent', 'a', '--config', join(home, 'worker.yaml')],
        named,
      );
      await worker.until(/^worker \S+ is ready: agent a/m);
      const said = [up.process, doctor, rebuilt, verified, worker].map(({ out, err }) => out + err).join('');
      expect(said).not.toContain(PASSWORD);
      expect(said).not.toContain(encodeURIComponent(PASSWORD));
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });
});
