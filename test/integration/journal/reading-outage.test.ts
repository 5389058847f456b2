/** A reading of the log that meets the end of its nats-server. */
import { expect, it } from 'vitest';
import { JetStreamLog } from '../../support/nats/jetstream-log.ts';
import { natsServer } from '../../support/nats/nats.ts';

/** More than are delivered before the kill is noticed. */
const EVENTS = 8_000;

it('goes on when the server was killed meanwhile, and takes no event for lost', async () => {
  await using server = await natsServer();
  await using log = await JetStreamLog.fresh(server);
  const writer = await log.open();
  await writer.takeOver('epoch');
  writer.append('e', EVENTS);
  await writer.allReported();
  const { journal } = await log.open();
  let read = 0;
  for await (const { sequence } of journal.read({ from: 1 })) {
    expect(sequence).toBe(++read);
    if (read !== 10) continue;
    await server.kill9();
    await server.restart();
  }
  expect(read).toBe(EVENTS + 1);
});
