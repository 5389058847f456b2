/** The example of an agent loop, as a process, with its stub model in both forms, against a real Signalbox. */
import { execFile } from 'node:child_process';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../support/process/build.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';

const run = promisify(execFile);
const LOOP = join(ROOT, 'examples/loop/loop.mjs');
const { startStubModel } = (await import('../../../examples/loop/stub-model.mjs' as string)) as {
  startStubModel: (port: number, seen: (body: unknown) => void) => Promise<Server>;
};

describe.concurrent('the example loop', () => {
  for (const api of ['openai', 'anthropic']) {
    it(`sends a model with the ${api} API each new result once`, {
      timeout: 60_000,
    }, async () => {
      await using sandbox = await Sandbox.create({ config: { background: {} } });
      await sandbox.up();
      const seen: string[] = [];
      const server = await startStubModel(0, (body) => seen.push(JSON.stringify(body)));
      try {
        const { port } = server.address() as AddressInfo;
        const env = {
          PATH: process.env.PATH,
          SIGNALBOX_URL: sandbox.url,
          MODEL_API: api,
          MODEL_URL: `http://127.0.0.1:${port}/v1`,
          MODEL: 'stub',
        };
        const ask = async (request: string): Promise<string> =>
          (await run(process.execPath, [LOOP, request], { env, cwd: sandbox.directory })).stdout;
        const first = await ask('Run `sleep 1; pwd` and `echo "<two>"; exit 7`');
        expect(first).toMatch(/^Done:\n/);
        expect(first).toContain(`completed: ${sandbox.directory} (output_file=`);
        expect(first).toMatch(/failed: \(exited with code 7[^)]*\) <two> \(output_file=/);
        expect(first.match(/\[bg:/g)).toHaveLength(2);
        // It was asked before it started anything, while it waited, and when all was there: nothing was told twice.
        expect(seen.length).toBeGreaterThanOrEqual(3);
        expect(seen[0]).not.toContain('[bg:');
        expect(seen.at(-1)?.match(/\[bg:/g)).toHaveLength(2);
        const second = await ask('Run `echo three`');
        expect(second.match(/\[bg:/g)).toHaveLength(1);
        expect(second).toContain('completed: three');
      } finally {
        server.closeAllConnections();
        server.close();
      }
    });
  }
});
