/** Tokens on the command line, and a Signalbox that requires them. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import { runCli, startUp, temporaryDirectory } from '../../support/process/cli.ts';
import { until } from '../../support/until.ts';

/** Many programs are started, one after the other. */
const SLOW = { timeout: 90_000 };
const CONFIG = 'agents: { later: { driver: command, command: ["true"] } }';

describe.concurrent('signalbox token', () => {
  it('requires a token from the first one on, and rejects a revoked one', SLOW, async () => {
    await using up = await startUp(CONFIG);
    const made = await up.run(['token', 'new', 'ann', '--role', 'observer']);
    const token = made.out.trim();
    expect(token).toMatch(/^sbx_/);
    const file = join(up.directory, 'token');
    await writeFile(file, `${token}\n`);
    const refused = (token?: string) =>
      until(async () => {
        const client = new SignalboxClient({ url: up.url, token });
        return client.listAgents().then(
          () => false,
          (error: { code: string }) => error.code === 'unauthorized',
        );
      }, 'it to be refused');
    await refused();

    expect((await up.run(['agent', 'ls'], { env: { SIGNALBOX_TOKEN: token } })).code).toBe(0);
    const decided = await up.run(['agent', 'pause', 'later', '--token-file', file]);
    expect(decided).toMatchObject({ code: 1, err: expect.stringContaining('observer') });
    expect((await up.run(['token', 'ls'])).out).toMatch(/ann +observer/);

    await up.run(['token', 'new', 'bob', '--role', 'admin']);
    expect((await up.run(['token', 'revoke', 'ann'])).code).toBe(0);
    await refused(token);
  });

  it('is sent by rebuild and audit redact', SLOW, async () => {
    await using up = await startUp(CONFIG);
    const tokenOf = async (role: string): Promise<string> =>
      (await up.run(['token', 'new', role, '--role', role])).out.trim();
    const [observer, admin] = [await tokenOf('observer'), await tokenOf('admin')];
    await until(async () => (await up.run(['agent', 'ls'])).code !== 0, 'it to ask for a token');
    const file = join(up.directory, 'token');
    await writeFile(file, `${admin}\n`);

    const anonymous = await up.run(['rebuild']);
    expect(anonymous).toMatchObject({ code: 1, out: '', err: expect.stringContaining('[unauthorized]') });
    const seen = await up.run(['rebuild'], { env: { SIGNALBOX_TOKEN: observer } });
    expect(seen).toMatchObject({ code: 0, out: expect.stringContaining(`the live state at ${up.url}`) });
    const dropping = ['rebuild', '--drop-snapshots'];
    const forbidden = await up.run(dropping, { env: { SIGNALBOX_TOKEN: observer } });
    expect(forbidden).toMatchObject({ code: 1, err: expect.stringContaining('[forbidden]') });
    const dropped = await up.run([...dropping, '--token-file', file]);
    expect(dropped).toMatchObject({
      code: 0,
      out: expect.stringContaining(`dropped the snapshots of ${up.url}`),
    });

    const named = ['--token-file', file];
    await up.run(['task', 'add', 'Secret', '--id', 'T-1', '--agent', 'later', '--delay', '600', ...named]);
    const redact = ['audit', 'redact', '--task', 'T-1', '--description', '--reason', 'a secret'];
    expect(await up.run([...redact, ...named])).toMatchObject({ code: 0, err: '' });
  });

  it('is required before Signalbox listens on an address that other machines reach', SLOW, async () => {
    const cwd = await temporaryDirectory();
    try {
      const { code, err } = await runCli(['up', '--port', '0', '--host', '0.0.0.0'], { cwd });
      expect(code).toBe(2);
      expect(err).toContain('signalbox token new NAME --role admin');
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  });
});
