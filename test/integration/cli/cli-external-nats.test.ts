import { connect } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { eventSubject } from '../../../src/contracts/messages/subjects.ts';
import { configuredNats } from '../../support/nats/configured-nats.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';
import { runCli, startUp } from '../../support/process/cli.ts';

const CONFIG = 'agents:\n  a: { driver: dry_run }\n';

/** As people write it in NATS_URL. */
function urlWithPassword({ url, connectOptions }: TestNatsServer): string {
  const { user = '', pass = '' } = connectOptions;
  return url.replace('//', `//${user}:${encodeURIComponent(pass)}@`);
}

/** Another writer, whose event stands where the next one of Signalbox was to stand. */
async function writeForeignEvent(nats: TestNatsServer): Promise<void> {
  const connection = await connect(nats.connectOptions);
  const subject = eventSubject({ project: 'default', entity: 'task', id: 'foreign', name: 'created' });
  await connection.request(subject, 'not from here');
  await connection.close();
}

describe('signalbox up with a NATS server of its own choice', () => {
  it('uses NATS_URL, shows no password, and stops with exit code 1 when another writer takes the log', async () => {
    await using nats = await natsServer();
    const env = { NATS_URL: urlWithPassword(nats) };
    await using up = await startUp(CONFIG, { env });
    expect(up.process.out).toContain(`, NATS ${nats.version} at ${nats.url}, data in `);

    const doctor = await runCli(['doctor', '--url', up.url], { env });
    expect(doctor.out).toMatch(/^ok {3}max_payload +1048576 bytes$/m);
    expect(doctor.out).toMatch(/^ok {3}nats +\d+\.\d+\.\d+ \(answers at nats:\/\/127\.0\.0\.1:\d+\)$/m);

    await writeForeignEvent(nats);
    await expect(up.client.createTask({ project: 'default', title: 'x', agent: 'a' })).rejects.toThrow(
      SignalboxError,
    );
    const { code, err } = await up.process.ended;
    expect(code).toBe(1);
    expect(err).toContain('another process has become the writer of the event log: stopping');
    expect(err).toContain('log_fenced');
    expect(up.process.out + err + doctor.out).not.toContain(nats.connectOptions.pass ?? '?');
  });
});

describe('signalbox doctor with a NATS server that takes small messages', () => {
  it.each([
    [65_536, /^warn max_payload +65536 bytes: long texts in events are cut.*\n.*set max_payload to 1048576/m],
    [
      16_384,
      /^fail nats .*takes messages of 16384 bytes at most, and Signalbox needs 32768: raise max_payload/m,
    ],
  ])('says what it needs: %i bytes', async (bytes, expected) => {
    await using nats = await configuredNats(`max_payload: ${bytes}`);
    const { out } = await runCli(['doctor'], { env: { NATS_URL: `nats://${nats.host}` } });
    expect(out).toMatch(expected);
  });
});
