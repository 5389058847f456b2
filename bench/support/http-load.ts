/** An HTTP client with many connections, in a thread of its own so that it costs every server under test the same. */
import { Agent, request } from 'node:http';
import { parentPort, Worker, workerData } from 'node:worker_threads';

export interface Load {
  readonly url: string;
  readonly path: string;
  readonly body: string;
  readonly requests: number;
  readonly connections: number;
}

/** @returns answers per second. Rejects if an answer is not 201. */
export function requestsPerSecond(load: Load): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: load });
    worker.once('message', (seconds: number) => resolve(load.requests / seconds));
    worker.once('error', reject);
  });
}

if (parentPort !== null) parentPort.postMessage(await run(workerData as Load));

async function run({ url, path, body, requests, connections }: Load): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port } = new URL(url);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const once = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request({ agent, hostname, port, path, method: 'POST', headers }, (answer) => {
        answer.resume();
        answer.once('end', () =>
          answer.statusCode === 201 ? resolve() : reject(new Error(`${path} answered ${answer.statusCode}`)),
        );
      });
      sent.once('error', reject);
      sent.end(body);
    });
  let left = requests;
  const start = performance.now();
  const client = async (): Promise<void> => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: connections }, client));
  const seconds = (performance.now() - start) / 1_000;
  agent.destroy();
  return seconds;
}
