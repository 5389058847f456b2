/** A NATS server that takes small messages only. */
import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { AttemptView } from '../../../projections/index.ts';
import { checkConfig } from '../../../src/config/parse-config.ts';
import { Daemon } from '../../../src/daemon/daemon.ts';
import { silentLogger } from '../../support/engine.ts';
import { configuredNats } from '../../support/nats/configured-nats.ts';
import { temporaryDirectory } from '../../support/process/cli.ts';
import { until } from '../../support/until.ts';

/** Of three bytes each. */
const CHARACTERS = 30_000;

it('attempts/ended-for-certain: the end of an attempt is stored, with its error cut', async () => {
  await using nats = await configuredNats('max_payload: 65536');
  const directory = await temporaryDirectory();
  const config = checkConfig({
    data_dir: directory,
    server: { port: 0 },
    nats: { url: `nats://${nats.host}` },
    agents: { fails: { driver: 'function' } },
    defaults: { max_attempts: 1 },
  });
  const fails = (): never => {
    throw new Error('猫'.repeat(CHARACTERS));
  };
  const options = { config, logger: silentLogger, env: {}, onFenced: () => {} };
  const daemon = await Daemon.start({ ...options, functions: { fails } });
  try {
    await fetch(`${daemon.url}/api/projects/demo/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 't', title: 't', agent: 'fails' }),
    });
    const attempt = (): AttemptView | undefined =>
      daemon.app.state.projections.attempts.byTask.get('demo/t')?.[0];
    await until(() => (attempt()?.outcome ?? null) !== null, 'its end is stored');
    expect(attempt()).toMatchObject({ outcome: 'failed', error: expect.stringMatching(/^猫+ … \[cut by/) });
    expect(daemon.health().log.state).toBe('open');
  } finally {
    await daemon.stop('a test');
    await rm(directory, { recursive: true, force: true });
  }
});
