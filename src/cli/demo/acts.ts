/** The two acts of the demo: work, and the proof. */
import { SignalboxClient } from '../../client/client.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { Daemon } from '../../daemon/daemon.ts';
import { openLiveView } from './live-view.ts';
import { handIn, lookAfter, readAll } from './person.ts';
import { deleteAllButLog, type State, stateOf } from './proof.ts';
import { printAttempts, printBlackboard, printCheck, printChecks, printTitle } from './report.ts';
import { SCENES } from './scenes.ts';
import { type Stage, startDaemon } from './stage.ts';

/** @returns whether all was as it has to be */
export async function play(stage: Stage): Promise<boolean> {
  const daemon = await startDaemon(stage, true);
  let isAllWell: boolean;
  let before: State;
  try {
    isAllWell = await work(stage, daemon);
    before = stateOf(daemon);
  } finally {
    await daemon.stop('the demo is over');
  }
  return (await prove(stage, before)) && isAllWell;
}

async function work({ terminal, end }: Stage, { url, app, nats }: Daemon): Promise<boolean> {
  if (url === null) throw new SignalboxError('internal', 'the demo listens nowhere');
  const client = new SignalboxClient({ url });
  terminal.print(`It listens at ${url}; its log is on NATS ${nats.version} at ${nats.url}.`);
  terminal.print();
  const view = openLiveView(terminal, app);
  try {
    await handIn(client, SCENES);
    await lookAfter(client, SCENES, end.signal);
  } finally {
    view.close();
  }
  const tasks = await readAll(client, SCENES);
  printBlackboard(terminal, SCENES, tasks);
  printAttempts(terminal, tasks);
  return printChecks(terminal, SCENES, tasks);
}

/** @param before the state that the log has to bring back */
async function prove(stage: Stage, before: State): Promise<boolean> {
  const { terminal, config } = stage;
  printTitle(terminal, 'The proof: the log is all that is needed');
  terminal.print(
    `Stopped, with ${before.events} events in the log, ${before.tasks} tasks and ${before.attempts} attempts.`,
  );
  const deleted = await deleteAllButLog(config.data_dir);
  terminal.print(`Deleted all but the log: ${deleted.join(', ')}.`);
  const daemon = await startDaemon(stage, false);
  const after = stateOf(daemon);
  await daemon.stop('the proof is done');
  terminal.print(
    `Started again on the log alone: its hash chain is whole, and every event led each machine where it had led before.`,
  );
  terminal.print(
    `(${after.events} events now: the stop and the start are in the log, and change no task and no attempt.)`,
  );
  terminal.print(`  before  sha256 ${before.sha256}  ${Buffer.byteLength(before.text)} bytes`);
  terminal.print(`  after   sha256 ${after.sha256}  ${Buffer.byteLength(after.text)} bytes`);
  const isSame = before.text === after.text;
  printCheck(
    terminal,
    isSame,
    isSame
      ? 'blackboard and attempt history are identical, byte by byte'
      : 'blackboard and attempt history DIFFER from those before',
  );
  return isSame;
}
