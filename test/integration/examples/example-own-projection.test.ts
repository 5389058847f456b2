/** The example of a service with its own projection: against a real log that grows, stopped and started again. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { natsSource } from '../../../src/engine/replay/event-source.ts';
import { fold } from '../../../src/engine/replay/fold.ts';
import type { LogEntry } from '../../../src/engine/runtime/commit-pipeline.ts';
import { openJetStreamJournal } from '../../../src/journal/jetstream/jetstream-journal.ts';
import type { JournalHandlers } from '../../../src/journal/journal.ts';
import { functionAgent, startEngine } from '../../support/engine.ts';
import { natsServer } from '../../support/nats/nats.ts';
import { buildDirectory, ROOT } from '../../support/process/build.ts';
import { until } from '../../support/until.ts';

interface Costs {
  readonly sequence: number;
  readonly state: Readonly<
    Record<string, { readonly attempts: number; readonly failed: number; open: object }>
  >;
}

const example = await import('../../../examples/own-projection/agent-costs.mjs' as string);

describe('a service with its own projection', () => {
  beforeAll(buildDirectory);

  it('catches up, follows live, continues after a restart, and ends with the state of a replay', async () => {
    await using nats = await natsServer();
    const connection = await connect(nats.connectOptions);
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-example-'));
    const file = join(directory, 'costs.json');
    try {
      await using test = await startEngine({
        openJournal: (handlers: JournalHandlers<LogEntry>) => openJetStreamJournal(connection, handlers),
        agents: [
          functionAgent('good', () => 'done'),
          functionAgent('bad', () => {
            throw new Error('broke');
          }),
        ],
      });
      const source = await natsSource(connection);
      const finish = async (agent: string, max_attempts: number): Promise<void> => {
        const { id } = await test.create({ agent, max_attempts });
        await test.until(id, ({ finishedAt, openAttempt }) => finishedAt !== null && openAttempt === null);
      };
      const costs = async (): Promise<Costs> => JSON.parse(await readFile(file, 'utf8')) as Costs;
      const isAtEnd = async (): Promise<boolean> =>
        existsSync(file) && (await costs()).sequence === (await source.lastSequence());
      /** Runs the service while something happens, until it has seen all of it. */
      const serve = async (happens: () => Promise<void>): Promise<void> => {
        const stop = new AbortController();
        const kept = example.keep({ source, file, signal: stop.signal });
        await happens();
        await until(isAtEnd, 'the service is at the end of the log');
        stop.abort();
        await kept;
      };

      await finish('good', 1);
      await serve(() => finish('bad', 2));
      await finish('good', 1);
      await serve(() => finish('good', 1));

      const { state } = await costs();
      expect(state).toMatchObject({
        good: { attempts: 3, failed: 0, open: {} },
        bad: { attempts: 2, failed: 2 },
      });
      expect((await fold(source, example.agentCosts)).state).toEqual(state);
    } finally {
      await connection.close();
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('imports only exports of the package', async () => {
    const { exports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      exports: Record<string, { default: string; types: string }>;
    };
    const built = (path: string): string => path.replace('./dist', '');
    const { default: code = '', types = '' } = exports['./replay'] ?? {};
    // The build for tests has no types: the compiler makes those of the source beside it.
    expect(existsSync(join(ROOT, built(types).replace(/\.d\.ts$/, '.ts')))).toBe(true);
    expect(await import(join(await buildDirectory(), built(code)))).toMatchObject({
      follow: expect.any(Function),
      natsSource: expect.any(Function),
    });
  });
});
