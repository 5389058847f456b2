/** Whether a Signalbox runs and is well, or could be started. */
import { createServer } from 'node:net';
import { SignalboxClient } from '../../client/client.ts';
import { healthReportSchema } from '../../contracts/api/answers.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { type Check, type Finding, fail, ok, warn } from './finding.ts';

const TIMEOUT_MS = 5_000;

export const checkServer: Check = async ({ config, url }) => {
  try {
    const client = new SignalboxClient({ url, timeoutMs: TIMEOUT_MS, retry: { retries: 0 } });
    return [judge(url, await client.readHealth())];
  } catch (error) {
    const isAbsent = error instanceof SignalboxError && error.code === 'unreachable';
    if (!isAbsent) return [fail('signalbox', messageOf(error), 'correct --url or SIGNALBOX_URL')];
    const { host, port } = config.server;
    return [ok('signalbox', `none runs at ${url}`), await checkPort(host, port)];
  }
};

function judge(url: string, answer: unknown): Finding {
  const parsed = healthReportSchema.safeParse(answer);
  if (!parsed.success) {
    return warn(
      'signalbox',
      `what answers at ${url} is not a Signalbox of this version`,
      'restart it, or correct --url',
    );
  }
  const { version, ready, reason, log } = parsed.data;
  const detail = `${version} runs at ${url}, its log is ${log.state} at ${log.sequence} (${log.durability})`;
  if (ready) return ok('signalbox', detail);
  return fail('signalbox', `${detail}, and takes no work: ${reason}`, 'see its log');
}

async function checkPort(host: string, port: number): Promise<Finding> {
  const problem = await new Promise<Error | null>((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
  if (problem === null) return ok('port', port === 0 ? 'any free one' : `${host}:${port} is free`);
  return fail(
    'port',
    `${host}:${port} cannot be listened on: ${problem.message}`,
    'take another one with --port',
  );
}
