import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publicUrl } from '../../../src/config/derived.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { defaultConfig } from '../../../src/config/parse-config.ts';

let cwd: string;

beforeEach(async () => {
  cwd = await realpath(await mkdtemp(join(tmpdir(), 'signalbox-config-')));
});

afterEach(async () => {
  await rm(cwd, { recursive: true, force: true });
});

async function write(name: string, content: string | Uint8Array): Promise<void> {
  await writeFile(join(cwd, name), content);
}

describe('the file that is read', () => {
  it('is optional: without one the defaults count, with an absolute data directory', async () => {
    expect(await loadConfig({ cwd, env: {} })).toEqual({
      config: { ...defaultConfig(), data_dir: join(cwd, '.signalbox') },
      source: null,
    });
  });

  it.each(['signalbox.config.yaml', 'signalbox.config.yml', 'signalbox.config.json'])(
    'is %s',
    async (name) => {
      await write(name, '{ "server": { "port": 9001 } }');
      const { config, source } = await loadConfig({ cwd, env: {} });
      expect({ port: config.server.port, source }).toEqual({ port: 9001, source: join(cwd, name) });
    },
  );

  it('is the named one, even if others exist', async () => {
    await write('signalbox.config.yaml', 'server: { port: 1 }');
    await write('other.conf', 'server: { port: 2 }');
    const { config, source } = await loadConfig({ cwd, env: {}, file: 'other.conf' });
    expect({ port: config.server.port, source }).toEqual({ port: 2, source: join(cwd, 'other.conf') });
  });

  it('is refused, and not waited for, if it was not named and is a FIFO', async () => {
    execFileSync('mkfifo', [join(cwd, 'signalbox.config.yaml')]);
    await expect(loadConfig({ cwd, env: {} })).rejects.toMatchObject({
      code: 'config_invalid',
      message: `signalbox.config.yaml: cannot be read: ${join(cwd, 'signalbox.config.yaml')} is not a regular file`,
    });
  });

  it('is refused if there are two', async () => {
    await write('signalbox.config.yaml', '');
    await write('signalbox.config.json', '{}');
    await expect(loadConfig({ cwd, env: {} })).rejects.toMatchObject({
      code: 'config_invalid',
      message:
        'signalbox.config.json: signalbox.config.yaml exists as well: keep one of them, or name the one to use',
    });
  });

  it('is refused if it is named and missing', async () => {
    await expect(loadConfig({ cwd, env: {}, file: 'gone.yaml' })).rejects.toMatchObject({
      code: 'config_invalid',
      message: `gone.yaml: there is no such file in ${cwd}: name another, or none to run with the defaults`,
      details: { issues: [{ file: 'gone.yaml', line: null, column: null, field: '' }] },
    });
  });

  it('is refused if it cannot be read', async () => {
    await mkdir(join(cwd, 'signalbox.config.yaml'));
    await expect(loadConfig({ cwd, env: {} })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(/^signalbox\.config\.yaml: cannot be read: .* is not a regular file$/),
    });
  });

  it('is refused if it is not UTF-8', async () => {
    await write('signalbox.config.yaml', Buffer.from('\uFEFFlog: {}', 'utf16le'));
    await expect(loadConfig({ cwd, env: {} })).rejects.toMatchObject({
      message: 'signalbox.config.yaml: is not UTF-8: save it in this encoding',
    });
  });
});

describe('paths in the configuration', () => {
  it('are relative to the current directory; a bare program is looked up in the PATH', async () => {
    await mkdir(join(cwd, 'conf'));
    await write(
      'conf/box.yaml',
      `
data_dir: data
nats: { program: bin/nats-server }
agents:
  here: { driver: dry_run, cwd: work }
  there: { driver: dry_run, cwd: /srv/work }
  nowhere: { driver: dry_run }
`,
    );
    const { config } = await loadConfig({ cwd, env: {}, file: 'conf/box.yaml' });
    expect(config.data_dir).toBe(join(cwd, 'data'));
    expect(config.nats.program).toBe(join(cwd, 'bin/nats-server'));
    expect(Object.values(config.agents).map((agent) => ('cwd' in agent ? agent.cwd : undefined))).toEqual([
      join(cwd, 'work'),
      '/srv/work',
      undefined,
    ]);
    await write('bare.yaml', 'nats: { program: nats-server }');
    expect((await loadConfig({ cwd, env: {}, file: 'bare.yaml' })).config.nats.program).toBe('nats-server');
  });

  it('must not begin with a tilde, because it would not be expanded', async () => {
    await write('signalbox.config.yaml', 'data_dir: ~/signalbox\n');
    await expect(loadConfig({ cwd, env: {} })).rejects.toThrow(
      'signalbox.config.yaml:1:1 data_dir: expected a path without "~" (it would not be expanded), got "~/signalbox"',
    );
  });
});

describe('settings from variables and options', () => {
  const FILE = `
data_dir: from-file
server: { host: 127.0.0.2, port: 1, max_body_bytes: 77 }
nats: { url: "nats://file:4222", max_file_bytes: 2000000 }
log: { level: warn }
`;
  const ENV = {
    SIGNALBOX_DATA_DIR: 'from-env',
    SIGNALBOX_HOST: 'localhost',
    SIGNALBOX_PORT: '2',
    NATS_URL: 'tls://a:4222,nats://b:4222',
    SIGNALBOX_LOG_LEVEL: 'debug',
  };

  it('from variables outrank the file', async () => {
    await write('signalbox.config.yaml', FILE);
    const { config } = await loadConfig({ cwd, env: ENV });
    expect(config).toMatchObject({
      data_dir: join(cwd, 'from-env'),
      server: { host: 'localhost', port: 2, max_body_bytes: 77 },
      nats: { url: 'tls://a:4222,nats://b:4222', max_file_bytes: 2_000_000 },
      log: { level: 'debug' },
    });
  });

  it('from options outrank variables', async () => {
    await write('signalbox.config.yaml', FILE);
    const overrides = {
      data_dir: '/from-option',
      host: '::1',
      port: 0,
      nats_url: 'c:4222',
      log_level: 'silent',
    };
    const { config } = await loadConfig({ cwd, env: ENV, overrides });
    expect(config).toMatchObject({
      data_dir: '/from-option',
      server: { host: '::1', port: 0, max_body_bytes: 77 },
      nats: { url: 'c:4222' },
      log: { level: 'silent' },
    });
  });

  it('ignore an empty variable', async () => {
    await write('signalbox.config.yaml', FILE);
    const env = { SIGNALBOX_DATA_DIR: '', SIGNALBOX_PORT: '', NATS_URL: '' };
    const { config } = await loadConfig({ cwd, env });
    expect(config).toMatchObject({ server: { port: 1 }, nats: { url: 'nats://file:4222' } });
  });

  it('are refused with the name of the variable or option, after the errors of the file', async () => {
    await write('signalbox.config.yaml', 'log: { level: loud }');
    const env = {
      SIGNALBOX_HOST: '0.0.0.0:80',
      SIGNALBOX_PORT: '8o83',
      NATS_URL: 'http://user:hunter2@h',
      SIGNALBOX_LOG_LEVEL: 'wrn',
    };
    const error = await loadConfig({ cwd, env, overrides: { port: '65536' } }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: 'config_invalid',
      message: [
        'signalbox.config.yaml:1:8 log.level: expected trace, debug, info, warn, error, fatal or silent, got "loud"',
        'SIGNALBOX_HOST: expected an IP address or the name of a host, got "0.0.0.0:80"',
        '--port: expected a whole number from 0 to 65535, got 65536',
        'NATS_URL: expected HOST:PORT, nats://HOST:PORT or tls://HOST:PORT, or several with commas between, got a text that is not shown here',
        'SIGNALBOX_LOG_LEVEL: expected trace, debug, info, warn, error, fatal or silent, got "wrn"; did you mean "warn"?',
      ].join('\n'),
    });
  });
});

describe('publicUrl', () => {
  const { server } = defaultConfig();

  it('consists of the host and the actual port', () => {
    expect(publicUrl(server)).toBe('http://127.0.0.1:8083');
    expect(publicUrl({ ...server, host: '::1', port: 0 }, 40_123)).toBe('http://[::1]:40123');
  });

  it('is the configured one if there is one', () => {
    expect(publicUrl({ ...server, public_url: 'https://box.example' }, 1)).toBe('https://box.example');
  });
});
