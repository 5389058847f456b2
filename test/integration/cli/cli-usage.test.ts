import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, startUp, temporaryDirectory } from '../../support/process/cli.ts';

describe.concurrent('the program', () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await temporaryDirectory();
  });
  afterAll(async () => {
    await rm(cwd, { recursive: true, force: true });
  });

  it('prints its version', async () => {
    expect(await runCli(['--version'])).toMatchObject({ code: 0, err: '', out: '0.1.0\n' });
  });

  it('exits with 2 for unknown commands and options', async () => {
    const { code, out, err } = await runCli(['tsak', 'ls']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe('signalbox: unknown command \'tsak\'\n(Did you mean "signalbox task"?)\n');
  });

  it('config check reports whether a file is valid, and where errors are', async () => {
    const none = await runCli(['config', 'check'], { cwd });
    expect(none).toMatchObject({
      code: 0,
      out: 'no configuration file: the defaults apply, and the configuration is valid, with no agents\n',
    });
    await writeFile(join(cwd, 'good.yaml'), 'agents:\n  a: { driver: dry_run }\n');
    await writeFile(join(cwd, 'bad.yaml'), 'agents:\n  a: { driver: command }\n');
    expect((await runCli(['config', 'check', 'good.yaml'], { cwd })).out).toMatch(
      /good.yaml is valid, with 1 agent: a\n$/,
    );
    const bad = await runCli(['config', 'check', 'bad.yaml'], { cwd });
    expect(bad).toMatchObject({ code: 2, out: '' });
    expect(bad.err).toContain('signalbox: bad.yaml:2:3 agents.a.command: ');
    const json = await runCli(['config', 'check', 'bad.yaml', '--json'], { cwd });
    expect(json).toMatchObject({ code: 2, err: '' });
    expect(JSON.parse(json.out)).toMatchObject({
      valid: false,
      issues: [{ line: 2, field: 'agents.a.command' }],
    });
  });

  it('config check --schema prints the JSON Schema', async () => {
    const { code, out } = await runCli(['config', 'check', '--schema'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ title: 'Signalbox configuration', type: 'object' });
  });

  it('doctor lists its findings, changes nothing, and fails if there is a problem', async () => {
    const free = ['--url', 'http://127.0.0.1:9'];
    const env = { SIGNALBOX_PORT: '0' };
    const well = await runCli(['doctor', ...free], { cwd, env });
    expect(well).toMatchObject({ code: 0, err: '' });
    expect(well.out).toMatch(/^ok {3}configuration /m);
    expect(well.out).toMatch(/^ok {3}data directory .*\(will be created\)$/m);
    expect(well.out).toMatch(/^ok {3}signalbox +not running at http:\/\/127.0.0.1:9$/m);

    await writeFile(join(cwd, 'file'), '');
    const ill = await runCli(['doctor', ...free, '--json', '--data-dir', 'file/data'], { cwd, env });
    expect(ill.code).toBe(1);
    const { ok, findings } = JSON.parse(ill.out) as {
      ok: boolean;
      findings: { check: string; status: string; advice?: string }[];
    };
    expect(ok).toBe(false);
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'data directory',
        status: 'fail',
        advice: expect.stringContaining('--data-dir'),
      }),
    );
  });

  it('doctor reports a running Signalbox', async () => {
    await using up = await startUp('agents: {}\n');
    const { code, out } = await up.run(['doctor']);
    expect(code).toBe(0);
    expect(out).toMatch(/^ok {3}signalbox +0\.1\.0 runs at http:\/\/127.0.0.1:\d+; event log open at \d+/m);
  });
});
