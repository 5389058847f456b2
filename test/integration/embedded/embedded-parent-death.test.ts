import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { embeddedServer, temporaryDirectory } from '../../support/nats/embedded.ts';
import { natsServerProgram } from '../../support/nats/nats.ts';
import { isRunning } from '../../support/process/processes.ts';
import { until } from '../../support/until.ts';

const PARENT = fileURLToPath(new URL('../../fixtures/embedded-parent.mjs', import.meta.url));

type Ending = Readonly<{ name: string; path: string | undefined; end: (parent: ChildProcess) => unknown }>;

const ENDINGS: readonly Ending[] = [
  { name: 'SIGKILL', path: process.env.PATH, end: (parent) => parent.kill('SIGKILL') },
  { name: 'SIGTERM', path: process.env.PATH, end: (parent) => parent.kill('SIGTERM') },
  // Works without setpriv, too.
  { name: 'process.exit, with an empty PATH,', path: '', end: (parent) => parent.stdin?.write('exit\n') },
];

describe.concurrent('the embedded server after the death of its parent', () => {
  it.each(ENDINGS)(
    'ends when the parent dies by $name, and releases its directory',
    async ({ path, end }) => {
      await using directory = await temporaryDirectory();
      const program = await natsServerProgram();
      const parent = spawn(process.execPath, [PARENT, directory.path, program.path, program.version], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, PATH: path },
      });
      try {
        const [line] = await once(createInterface(parent.stdout), 'line');
        const { pid } = JSON.parse(String(line)) as { pid: number };
        expect(isRunning(pid)).toBe(true);
        const exited = once(parent, 'exit');
        end(parent);
        await exited;
        // With a lock, the next start waits until the last server has shut down.
        if (path === '') await until(() => !isRunning(pid), 'the end of the server');
        await using next = await embeddedServer(directory.path);
        expect(isRunning(pid)).toBe(false);
        expect(next.server.pid).not.toBe(pid);
      } finally {
        parent.kill('SIGKILL');
      }
    },
  );
});
