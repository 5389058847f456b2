import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.ts';
import { readNatsContext } from '../../../src/config/nats-context.ts';
import { givenServer, tlsOf } from '../../../src/daemon/nats-address.ts';
import { readCredentials } from '../../../src/worker/credentials.ts';

const SECRET = 'do-not-show-this';

let home: string;

beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'signalbox-context-')));
  await mkdir(join(home, '.config', 'nats', 'context'), { recursive: true });
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

const fileOf = (name: string): string => join(home, '.config', 'nats', 'context', `${name}.json`);

async function read(content: unknown, env: Readonly<Record<string, string>> = {}) {
  await writeFile(fileOf('ctx'), typeof content === 'string' ? content : JSON.stringify(content));
  return readNatsContext('ctx', { HOME: home, ...env });
}

describe('a context', () => {
  it('is found below XDG_CONFIG_HOME, or else below the home directory', async () => {
    expect(await read({ url: 'nats://a:1' })).toEqual({ url: 'nats://a:1', isTlsFirst: false });
    const other = join(home, 'other', 'nats', 'context');
    await mkdir(other, { recursive: true });
    await writeFile(join(other, 'ctx.json'), '{ "url": "nats://b:2" }');
    const env = { HOME: home, XDG_CONFIG_HOME: join(home, 'other') };
    expect((await readNatsContext('ctx', env)).url).toBe('nats://b:2');
  });

  it('has the default address of nats without one, and any number of others', async () => {
    expect((await read({ url: '', user: null })).url).toBe('nats://127.0.0.1:4222');
    expect((await read({ url: 'nats://a:1, tls://b:2' })).url).toBe('nats://a:1,tls://b:2');
  });

  it('names files as nats does: with ~, variables and file://', async () => {
    for (const name of ['me.creds', 'ca.crt', 'my.crt', 'my.key']) await writeFile(join(home, name), SECRET);
    const files = {
      creds: '~/me.creds',
      ca: '$CERTS/ca.crt',
      cert: `\${CERTS}/my.crt`,
      key: `file://${home}/my.key`,
    };
    const context = await read({ ...files, tls_first: true }, { CERTS: home });
    expect(context).toEqual({
      url: 'nats://127.0.0.1:4222',
      credentialsFile: join(home, 'me.creds'),
      caFile: join(home, 'ca.crt'),
      certFile: join(home, 'my.crt'),
      keyFile: join(home, 'my.key'),
      isTlsFirst: true,
    });
    expect(tlsOf({ servers: 'a', ...context })).toEqual({
      caFile: join(home, 'ca.crt'),
      certFile: join(home, 'my.crt'),
      keyFile: join(home, 'my.key'),
      handshakeFirst: true,
    });
  });

  it('may contain fields for people, and empty fields of any kind', async () => {
    const idle = { name: 'x', description: 'the test', color_scheme: 'blue' };
    const empty = { nsc: '', windows_ca_certs_match: null, later: [], inbox_prefix: '', tls_first: false };
    await expect(read({ url: 'a:1', ...idle, ...empty })).resolves.toMatchObject({ url: 'a:1' });
  });

  it.each([
    [
      { socks_proxy: SECRET },
      'socks_proxy',
      'Signalbox does not support this field: use a context without it',
    ],
    [{ nsc: `nsc://${SECRET}` }, 'nsc', 'does not support this field'],
    [{ jetstream_domain: SECRET }, 'jetstream_domain', 'does not support this field'],
    [{ user_jwt: SECRET, user_seed: SECRET }, 'user_jwt', 'does not support this field'],
    [{ something_new: true }, 'something_new', 'does not support this field'],
    [{ password: `op://${SECRET}`, user: 'a' }, 'password', 'does not look up references'],
    [{ creds: `data:;base64,${SECRET}` }, 'creds', 'give the path of a file'],
    [{ url: `ws://${SECRET}` }, 'url', 'expected HOST:PORT, nats://HOST:PORT or tls://HOST:PORT'],
    [{ user: 'a', token: SECRET }, 'user', 'user and token all give credentials'],
    [{ url: `nats://a:${SECRET}@b`, creds: '/dev/null' }, 'url', 'url and creds all give credentials'],
    [{ password: SECRET }, 'password', 'has no user beside it'],
    [{ cert: '/dev/null' }, 'cert', 'has no key beside it'],
    [{ key: '/dev/null' }, 'key', 'has no cert beside it'],
    [{ nkey: '/nowhere/me.nk' }, 'nkey', 'the file /nowhere/me.nk is missing or cannot be read'],
    [{ url: 1 }, 'url', 'expected text'],
    [{ tls_first: SECRET }, 'tls_first', 'expected true or false'],
    [`{ "password": "${SECRET}" `, '', 'is not JSON'],
    [`["${SECRET}"]`, '', 'expected a map of fields'],
  ])('is refused with its file and field, and without its values: %j', async (content, field, message) => {
    const error = await read(content).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'config_invalid', details: { issues: expect.anything() } });
    const { message: text, cause } = error as Error;
    expect(text.startsWith(`${fileOf('ctx')}${field === '' ? '' : ` ${field}`}: `)).toBe(true);
    expect(text).toContain(message);
    expect(text + String(cause)).not.toContain(SECRET);
  });

  it('that is missing is reported with name and file; all errors are reported together', async () => {
    await expect(readNatsContext('gone', { HOME: home })).rejects.toMatchObject({
      code: 'config_invalid',
      message: `${fileOf('gone')}: there is no such file, so there is no NATS context gone: make it with "nats context add gone", or name another`,
    });
    const error = await read({ url: 'ws://a', nsc: 'x', password: 'y' }).catch((thrown: unknown) => thrown);
    expect(String(error).match(/ctx\.json/g)).toHaveLength(3);
  });
});

describe('a file with credentials', () => {
  it.each(['seed', `{ "password": "${SECRET}" `, '{}'])(
    'does not quote a file without a secret: %s',
    async (content) => {
      const file = join(home, 'credentials');
      await writeFile(file, `${content}${SECRET}`);
      const error = await readCredentials(file).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining(file) });
      const { message, cause } = error as Error;
      expect(message + String(cause)).not.toContain(SECRET);
    },
  );
});

describe('the server of a configuration', () => {
  const load = async (nats: unknown, env: Record<string, string>, overrides = {}) => {
    await writeFile(join(home, 'signalbox.config.json'), JSON.stringify({ nats }));
    const { config } = await loadConfig({ cwd: home, env: { HOME: home, ...env }, overrides });
    return (await givenServer(config, { HOME: home }))?.address ?? null;
  };
  beforeEach(async () => {
    await writeFile(fileOf('one'), '{ "url": "one:1", "user": "ann", "password": "x" }');
    await writeFile(fileOf('two'), '{ "url": "two:2" }');
  });
  const ONE = { servers: ['one:1'], user: 'ann', pass: 'x' };
  const TWO = { servers: ['two:2'] };

  it('comes from the option, else the variable, else the file', async () => {
    const file = { context: 'one' };
    expect(await load({}, {})).toBeNull();
    expect(await load(file, {})).toEqual(ONE);
    expect(await load(file, { NATS_CONTEXT: 'two' })).toEqual(TWO);
    expect(await load(file, { NATS_URL: 'b:3' })).toEqual({ servers: ['b:3'] });
    expect(await load({}, { NATS_URL: 'b:3' }, { nats_context: 'one' })).toEqual(ONE);
    expect(await load({}, { NATS_CONTEXT: 'one' }, { nats_url: 'b:3' })).toEqual({ servers: ['b:3'] });
    expect(await load(file, { NATS_CONTEXT: '' })).toEqual(ONE);
  });

  it('comes entirely from the context, if the file names another one too', async () => {
    const file = { url: 'tls://u:p@file:9', credentials: 'c', ca_file: 'ca' };
    expect(await load(file, { NATS_CONTEXT: 'two' })).toEqual(TWO);
  });

  it.each([
    [{ context: 'one', url: 'a:1' }, {}, {}, /json:1:\d+ nats\.url: nats\.context sets this too/],
    [{ context: 'one', credentials: 'c' }, {}, {}, /nats\.credentials: nats\.context sets this too/],
    [{ context: 'one', ca_file: 'c' }, {}, {}, /nats\.ca_file: nats\.context sets this too/],
    [{}, { NATS_URL: 'a:1', NATS_CONTEXT: 'one' }, {}, /^NATS_CONTEXT: NATS_URL names a server too/],
    [{}, { NATS_URL: 'a:1', NATS_CONTEXT: 'one', SIGNALBOX_PORT: 'x' }, {}, /\nSIGNALBOX_PORT: expected/],
    [{}, {}, { nats_url: 'a:1', nats_context: 'one' }, /^--nats-context: --nats-url names a server too/],
    [{}, { NATS_CONTEXT: '../one' }, {}, /^NATS_CONTEXT: expected the name of a context/],
    [{ context: 'a/b' }, {}, {}, /nats\.context: expected the name of a context/],
    [{ context: 'gone' }, {}, {}, /gone\.json: there is no such file/],
  ])('is refused if two are named: %j, %j, %j', async (nats, env, overrides, message) => {
    await expect(load(nats, env, overrides)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(message),
    });
  });
});
