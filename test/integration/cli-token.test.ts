/** Tokens on the command line, and a Signalbox that asks for them. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startUp, temporaryDirectory } from '../support/cli.ts';

const CONFIG = 'agents: { later: { driver: command, command: ["true"] } }';

describe('signalbox token', () => {
  it('closes a running Signalbox, opens it to who has one, and closes it again when it is revoked', async () => {
    await using up = await startUp(CONFIG);
    expect((await up.run(['agent', 'ls'])).code).toBe(0);
    const made = await up.run(['token', 'new', 'ann', '--role', 'observer']);
    const token = made.out.trim();
    expect(token).toMatch(/^sbx_/);
    const file = join(up.directory, 'token');
    await writeFile(file, `${token}\n`);
    const unknown = await refused(() => up.run(['agent', 'ls']));
    expect(unknown.err).toMatch(/signalbox token new.*\(unauthorized\)|unauthorized/);

    expect((await up.run(['agent', 'ls'], { env: { SIGNALBOX_TOKEN: token } })).code).toBe(0);
    expect((await up.run(['agent', 'ls', '--token-file', file])).code).toBe(0);
    const decided = await up.run(['agent', 'pause', 'later', '--token-file', file]);
    expect(decided).toMatchObject({ code: 1, err: expect.stringContaining('observer') });

    await up.run(['token', 'new', 'bob', '--role', 'admin']);
    expect((await up.run(['token', 'ls'])).out).toMatch(/ann +observer.*\n.*bob +admin/);
    expect((await up.run(['token', 'revoke', 'ann'])).code).toBe(0);
    await refused(() => up.run(['agent', 'ls', '--token-file', file]));
  });

  it('is asked for by a Signalbox that is to listen to other machines', async () => {
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

/** A token counts, or counts no more, within a second: until then the command may succeed. */
async function refused(run: () => ReturnType<typeof runCli>) {
  for (let tries = 0; tries < 20; tries++) {
    const result = await run();
    if (result.code !== 0) return result;
  }
  throw new Error('it was never refused');
}
