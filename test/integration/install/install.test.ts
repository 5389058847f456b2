/** Signalbox as a new user gets it: the packed tarball in a clean prefix, away from the checkout, and five commands. */

import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { buildDirectory, ROOT } from '../../support/process/build.ts';
import { CliProcess } from '../../support/process/cli.ts';
import { freePort } from '../../support/process/free-port.ts';

const LIMIT_MS = 120_000;

const packedSchema = z.tuple([
  z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }),
]);
const manifestSchema = z.object({ files: z.array(z.string()), private: z.boolean().optional() });

/** Packs what `npm publish` would upload. @returns the tarball, and the paths in it */
async function pack(directory: string): Promise<{ tarball: string; paths: string[] }> {
  const source = join(directory, 'package');
  await mkdir(source);
  const manifest = await readFile(join(ROOT, 'package.json'), 'utf8');
  await writeFile(join(source, 'package.json'), manifest);
  const { files, private: isPrivate } = manifestSchema.parse(JSON.parse(manifest));
  expect(isPrivate, 'npm refuses to publish a private package').toBeUndefined();
  for (const file of files.filter((each) => each !== 'dist' && !each.startsWith('!')))
    await cp(join(ROOT, file), join(source, file), { recursive: true });
  await cp(await buildDirectory(), join(source, 'dist'), { recursive: true });
  const { stdout } = await execa(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', directory],
    { cwd: source },
  );
  const [packed] = packedSchema.parse(JSON.parse(stdout));
  return { tarball: join(directory, packed.filename), paths: packed.files.map(({ path }) => path) };
}

/** How this machine reaches the registry. */
function networkOf(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => /^(NODE_EXTRA_CA_CERTS|(HTTPS?|NO)_PROXY)$/i.test(name)),
  );
}

it(
  'is installed from its tarball, finds an agent, runs, does a task and shows it within two minutes',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-install-'));
    const port = await freePort();
    let running: CliProcess | null = null;
    try {
      const { tarball, paths } = await pack(directory);
      expect(paths).toContain('docs/tutorials/getting-started.md');
      expect(paths.filter((path) => path.endsWith('.map') || path.startsWith('dist/bench'))).toEqual([]);

      const began = Date.now();
      const prefix = join(directory, 'prefix');
      const tools = join(directory, 'tools');
      const project = join(directory, 'project');
      await mkdir(project);
      await mkdir(tools);
      await writeFile(join(tools, 'codex'), '#!/bin/sh\n', { mode: 0o755 });
      // Nothing of the checkout is on the PATH, and no setting of this process is passed on.
      const { HOME = directory } = process.env;
      const path = [join(prefix, 'bin'), tools, '/usr/local/bin', '/usr/bin', '/bin'].join(':');
      const options = { cwd: project, env: { PATH: path, HOME }, extendEnv: false } as const;
      const quiet = ['--no-audit', '--no-fund', '--prefer-offline'];
      await execa('npm', ['install', '--global', '--prefix', prefix, ...quiet, tarball], {
        ...options,
        env: { ...options.env, ...networkOf(process.env) },
      });

      const init = await execa('signalbox', ['init', '--port', String(port)], options);
      expect(init.stdout).toContain('with the agents hello, codex');
      const again = await execa('signalbox', ['init'], { ...options, reject: false });
      expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('exists: edit it')]);
      const { stdout: checked } = await execa('signalbox', ['config', 'check'], options);
      expect(checked).toContain('is valid, with 2 agents: hello, codex');

      running = new CliProcess(
        spawn(join(prefix, 'bin/signalbox'), ['up'], {
          cwd: project,
          env: options.env,
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
      await running.until(new RegExp(`dashboard at http://127\\.0\\.0\\.1:${port}/ui/`));
      // The client finds the port in the configuration.
      const task = await execa(
        'signalbox',
        ['task', 'add', 'Say hello', '--agent', 'hello', '--wait'],
        options,
      );
      expect(task.exitCode).toBe(0);
      const page = await fetch(`http://127.0.0.1:${port}/ui/`);
      expect([page.status, await page.text()]).toEqual([
        200,
        expect.stringContaining('<title>Signalbox</title>'),
      ]);
      expect(Date.now() - began).toBeLessThan(LIMIT_MS);
    } finally {
      if (running) {
        process.kill(running.pid, 'SIGTERM');
        await running.ended;
      }
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    }
  },
  LIMIT_MS * 2,
);
