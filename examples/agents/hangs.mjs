/**
 * Never ends, and ignores SIGTERM, as does its child process: an agent that has to be killed.
 *
 * Parameters: `own_session` (false; true puts the child into a session and a process group of its own, so that a signal to
 * the agent's group does not reach it).
 */
import { spawn } from 'node:child_process';
import { parameter, runAgent, say } from './lib/signalbox.mjs';

const DEAF = ['SIGTERM', 'SIGINT', 'SIGHUP'];
const DEAF_CHILD = `
  for (const signal of ${JSON.stringify(DEAF)}) process.on(signal, () => {});
  setInterval(() => {}, 60_000);
  console.log('child ' + process.pid + ' hangs');
`;

for (const signal of DEAF) process.on(signal, () => {});

await runAgent(async (signalbox, task) => {
  await signalbox.status('working', 'about to hang');
  spawn(process.execPath, ['--eval', DEAF_CHILD], {
    stdio: 'inherit',
    detached: parameter(task, 'own_session', false),
  });
  setInterval(() => {}, 60_000);
  say(`agent ${process.pid} hangs`);
});
