/** Runs the demo: six tasks on real agents, and the proof that the log restores the state. Leaves nothing behind. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { SignalboxClient } from '../../client/client.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { SignalboxConfig } from '../../config/schema/config.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { Daemon } from '../../daemon/daemon.ts';
import { locateNatsServer } from '../../daemon/embedded/program.ts';
import { PACKAGE_ROOT, VERSION } from '../../version.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { listenForInterruptions } from '../interruptions.ts';
import { createLogger } from '../log-stream.ts';
import { assertSupportedPlatform } from '../platform.ts';
import type { Terminal } from '../terminal.ts';
import { openLiveView } from './live-view.ts';
import { deleteAllButLog, type State, stateOf } from './proof.ts';
import { printAttempts, printBlackboard, printCheck, printChecks, printTitle } from './report.ts';
import { createTasks, DEMO_TASKS, readAll, reviewTasks } from './tasks.ts';

export interface DemoOptions {
  readonly keep?: true;
}

export async function runDemo(terminal: Terminal, { keep }: DemoOptions): Promise<void> {
  assertSupportedPlatform();
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-demo-'));
  const logFile = openSync(join(directory, 'signalbox.log'), 'a', 0o600);
  const logger = createLogger('debug', { write: (line) => writeSync(logFile, line) });
  const end = new AbortController();
  terminal.onReaderGone(() => end.abort());
  const interruptions = listenForInterruptions((count) => {
    end.abort();
    if (count > 2) process.exit(EXIT_CODES.interrupted.code);
  });
  try {
    terminal.print(
      `Signalbox ${VERSION}: real agent programs on real input, without a model and without an API key.`,
    );
    const config = await configFor(join(directory, 'data'));
    const isOk = await workAndProve({ terminal, config, logger, end });
    if (!isOk && !keep) terminal.note('Some checks failed. Use --keep to keep the data and the log file.');
    terminal.exitCode = isOk ? EXIT_CODES.ok.code : EXIT_CODES.failure.code;
  } catch (error) {
    const { aborted, reason } = end.signal;
    if (!aborted || reason instanceof SignalboxError) throw reason ?? error;
    terminal.note('Interrupted: everything that the demo started is stopped.');
    terminal.exitCode = EXIT_CODES.interrupted.code;
  } finally {
    interruptions.close();
    closeSync(logFile);
    if (keep) terminal.print(`\nKept: ${directory}`);
    else await rm(directory, { recursive: true, force: true });
  }
}

interface Setup {
  readonly terminal: Terminal;
  readonly config: SignalboxConfig;
  readonly logger: Logger;
  /** Aborted with a reason to end the demo early. */
  readonly end: AbortController;
}

/** Ignores the caller's environment: the demo must not write to a log that is in use elsewhere. */
async function configFor(dataDir: string): Promise<SignalboxConfig> {
  const { config } = await loadConfig({
    file: join('examples', 'demo.config.yaml'),
    cwd: PACKAGE_ROOT,
    env: {},
    overrides: { data_dir: dataDir, port: 0 },
  });
  return config;
}

/** @param http whether to serve HTTP */
async function startDaemon({ terminal, logger, config, end }: Setup, http: boolean): Promise<Daemon> {
  const env = environment();
  if ((await locateNatsServer({ logger, env })) === undefined) {
    terminal.print(
      'nats-server is not installed: downloading it into the cache. This takes up to half a minute, once.',
    );
  }
  const daemon = await Daemon.start({ config, logger, http, env, onFenced: (error) => end.abort(error) });
  if (end.signal.aborted) await daemon.stop('interrupted');
  end.signal.throwIfAborted();
  return daemon;
}

/** Agents that start "node" get the Node.js that runs the demo. */
function environment(): NodeJS.ProcessEnv {
  const { PATH = '', ...env } = process.env;
  return { ...env, PATH: [dirname(process.execPath), PATH].join(delimiter) };
}

/** Runs the tasks, then the proof. @returns whether all checks passed */
async function workAndProve(setup: Setup): Promise<boolean> {
  const daemon = await startDaemon(setup, true);
  let isOk: boolean;
  let before: State;
  try {
    isOk = await work(setup, daemon);
    before = stateOf(daemon);
  } finally {
    await daemon.stop('the demo is over');
  }
  return (await prove(setup, before)) && isOk;
}

async function work({ terminal, end }: Setup, { url, app, nats }: Daemon): Promise<boolean> {
  if (url === null) throw new SignalboxError('internal', 'the demo does not serve HTTP');
  const client = new SignalboxClient({ url });
  terminal.print(`Listening at ${url}; event log on NATS ${nats.version} at ${nats.url}.`);
  terminal.print();
  const view = openLiveView(terminal, app);
  try {
    await createTasks(client, DEMO_TASKS);
    await reviewTasks(client, DEMO_TASKS, end.signal);
  } finally {
    view.close();
  }
  const tasks = await readAll(client, DEMO_TASKS);
  printBlackboard(terminal, DEMO_TASKS, tasks);
  printAttempts(terminal, tasks);
  return printChecks(terminal, DEMO_TASKS, tasks);
}

/** @param before the state that the log must restore */
async function prove(setup: Setup, before: State): Promise<boolean> {
  const { terminal, config } = setup;
  printTitle(terminal, 'Proof: the log restores everything');
  terminal.print(
    `Stopped, with ${before.events} events in the log, ${before.tasks} tasks and ${before.attempts} attempts.`,
  );
  const deleted = await deleteAllButLog(config.data_dir);
  terminal.print(`Deleted everything but the log: ${deleted.join(', ')}.`);
  const daemon = await startDaemon(setup, false);
  const after = stateOf(daemon);
  await daemon.stop('the proof is done');
  terminal.print(
    'Started again with the log alone: its hash chain is valid, and every event gave the recorded result.',
  );
  terminal.print(
    `(${after.events} events now: the stop and the start are events, too, and change no task and no attempt.)`,
  );
  terminal.print(`  before  sha256 ${before.sha256}  ${Buffer.byteLength(before.text)} bytes`);
  terminal.print(`  after   sha256 ${after.sha256}  ${Buffer.byteLength(after.text)} bytes`);
  const isSame = before.text === after.text;
  printCheck(
    terminal,
    isSame,
    isSame
      ? 'tasks and attempt history are identical, byte for byte'
      : 'tasks and attempt history DIFFER from those before',
  );
  return isSame;
}
