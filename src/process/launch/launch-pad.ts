import { setImmediate as nextTurn } from 'node:timers/promises';
import { execa } from 'execa';
import type { Logger } from 'pino';
import { messageOf } from '../../contracts/errors.ts';
import type { ProcessTable } from '../host/process-table.ts';
import { spawnFailed } from '../preflight.ts';
import {
  type Launched,
  type LaunchRequest,
  launcherArguments,
  launcherEnvironment,
  SHELL,
} from './launch.ts';
import { LaunchShell } from './launch-shell.ts';

/**
 * Starts launchers: through a launch shell where there is one (Linux), otherwise as children of this process.
 *
 * A fork copies the page tables of the process that forks, and blocks it meanwhile: one millisecond for a Node process of
 * 60 MB, fifteen for one of 450 MB. Through the shell a spawn costs the event loop one write to a pipe at any size. On
 * macOS the system creates processes without a fork.
 */
export class LaunchPad {
  readonly #table: ProcessTable;
  readonly #log: Logger;
  #shell: LaunchShell | undefined;
  #shellWanted: boolean;
  #turn: Promise<void> = Promise.resolve();

  constructor(table: ProcessTable, log: Logger, shellWanted: boolean) {
    this.#table = table;
    this.#log = log;
    this.#shellWanted = shellWanted && process.platform === 'linux';
  }

  /** @throws SignalboxError `spawn_failed` if the system starts no launcher */
  async launch(request: LaunchRequest): Promise<Launched> {
    try {
      if (this.#shellWanted && this.#shell === undefined) this.#startShell();
      if (this.#shell?.state === 'usable') return this.#shell.launch(request);
      if (this.#shell?.state === 'unusable') this.#giveUpShell();
      return await this.#launchChild(request);
    } catch (error) {
      const name = request.spec.command[0];
      throw spawnFailed('system', `the system did not start ${name}: ${messageOf(error)}`, error);
    }
  }

  close(): void {
    this.#shellWanted = false;
    this.#shell?.close();
    this.#shell = undefined;
  }

  #startShell(): void {
    const shell = new LaunchShell(this.#table, () => {
      if (this.#shell !== shell) return;
      this.#log.warn('the launch shell was killed; the next spawn starts another one');
      this.#shell = undefined;
    });
    this.#shell = shell;
  }

  #giveUpShell(): void {
    this.#log.info('no launch shell here (no "setsid -f", or orphans stay zombies): spawns take more time');
    this.close();
  }

  /** At most one fork per turn of the event loop. */
  async #launchChild(request: LaunchRequest): Promise<Launched> {
    this.#turn = this.#turn.then(() => nextTurn());
    await this.#turn;
    const subprocess = execa(SHELL, launcherArguments(request, 0), {
      cwd: request.spec.cwd,
      env: launcherEnvironment(request),
      extendEnv: false,
      detached: true,
      cleanup: false,
      stdio: 'ignore',
      buffer: false,
      reject: false,
    });
    if (subprocess.pid === undefined) throw (await subprocess).cause ?? new Error('no process was created');
    let over = false;
    const ended = subprocess.then(() => {
      over = true;
    });
    return { ended, isOver: () => over, release: () => subprocess.unref() };
  }
}
