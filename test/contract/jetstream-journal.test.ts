import { afterAll, beforeAll } from 'vitest';
import { JetStreamLog } from '../support/nats/jetstream-log.ts';
import { natsServer, type TestNatsServer } from '../support/nats/nats.ts';
import { TcpProxy } from '../support/nats/tcp-proxy.ts';
import { describeJournal } from './journal-contract.ts';
import type { LogUnderTest } from './log-under-test.ts';

/** Short, so that a lost answer delays a test only briefly. */
const QUICK = { acknowledgementTimeoutMs: 500 };

let server: TestNatsServer;
beforeAll(async () => {
  server = await natsServer();
});
afterAll(() => server.stop());

async function freshLog(): Promise<LogUnderTest> {
  const log = await JetStreamLog.fresh(server);
  const proxy = await TcpProxy.to(server.url);
  return {
    open: () => log.open(QUICK),
    async openBehindGate() {
      const writer = await log.open(QUICK, proxy.url);
      return {
        writer,
        gate: { shut: () => proxy.hold('toServer'), open: () => proxy.release('toServer') },
      };
    },
    messages: () => log.messages(),
    idAt: (sequence) => log.idAt(sequence),
    cut: () => server.kill9(),
    restore: () => server.restart(),
    intrude: (entry) => log.intrude(entry),
    remove: (sequence) => log.remove(sequence),
    replaceWith: (entries) => log.replaceWith(entries),
    [Symbol.asyncDispose]: async () => {
      await log[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      if (server.pid === undefined) await server.restart();
    },
  };
}

describeJournal('JetStream', freshLog);
