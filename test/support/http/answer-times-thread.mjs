/** Asks a URL again and again, in a thread of its own, so that a busy test does not count as a slow server. */
import { Agent, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const { url, pauseMs, limitMs } = workerData;
const agent = new Agent({ keepAlive: true });
const times = [];
const refusals = [];
let isOver = false;
parentPort.once('message', () => {
  isOver = true;
});

const ask = () =>
  new Promise((resolve) => {
    const request = get(url, { agent, timeout: limitMs }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.on('end', () =>
        resolve(response.statusCode === 200 ? null : `${response.statusCode} ${body}`),
      );
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${limitMs} ms`)));
    request.on('error', (error) => resolve(error.message));
  });

while (!isOver) {
  const began = performance.now();
  const refusal = await ask();
  times.push(performance.now() - began);
  if (refusal !== null) refusals.push(refusal);
  await pause(pauseMs);
}
times.sort((one, other) => one - other);
parentPort.postMessage({
  count: times.length,
  medianMs: times[Math.floor(times.length / 2)] ?? 0,
  maxMs: times.at(-1) ?? 0,
  refusals: refusals.slice(0, 10),
});
agent.destroy();
