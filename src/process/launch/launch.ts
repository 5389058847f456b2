/** Starts launchers: through a launch shell if there is one (Linux), otherwise as children of this process. */
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { execa } from 'execa';
import type { Logger } from 'pino';
import { messageOf } from '../../contracts/errors.ts';
import { CODE_ROOT } from '../../version.ts';
import { agentIn, type Container, launcherIn, waitingProgram } from '../containment/container.ts';
import { environmentForPerl } from '../containment/perl.ts';
import type { AttemptDirectory } from '../files/attempt-directory.ts';
import type { ProcessTable } from '../host/process-table.ts';
import { MARKER_VARIABLE, markersFor } from '../markers.ts';
import { spawnFailed } from '../preflight.ts';
import type { SpawnSpec } from '../runner.ts';

/** A launcher that was started. */
export interface Launched {
  /** Resolves when the launcher has ended or could not be started. Stays pending if it was killed before it reported. */
  readonly ended: Promise<void>;
  isOver(): boolean;
  /** Stops listening to it, and lets this process end while it runs. */
  release(): void;
}

export interface LaunchRequest {
  readonly spec: SpawnSpec;
  /** Absolute path of the program. */
  readonly program: string;
  readonly directory: AttemptDirectory;
  /** Descriptor of a file for the errors of the launch; open until the launcher has begun. */
  readonly errors: number;
  /** Which the command enters. */
  readonly cgroups: readonly string[];
}

const SHELL = '/bin/sh';
const LAUNCHER = join(CODE_ROOT, 'src/process/launch/launcher.sh');
const NO_INPUT = '/dev/null';
/** Variables that a shell adds to its environment. */
const ADDED_BY_SHELL = ['PWD', 'OLDPWD', 'SHLVL', '_'];

/** The launcher reports its end by `number`. */
function launcherCommand(
  { spec, program, directory, cgroups }: LaunchRequest,
  container: Container,
  number: number,
): [string, ...string[]] {
  const surplus = ADDED_BY_SHELL.filter((name) => !(name in spec.env)).join(' ');
  const [, ...rest] = spec.command;
  const input = spec.inputStays === true ? 'stays' : 'ends';
  const values = [spec.stdin ?? NO_INPUT, input, surplus, String(number), String(spec.maxOutputBytes)];
  const containment = [container.kind, waitingProgram(container) ?? '', cgroups.join('\n')];
  const agent = agentIn(container, directory.path, program, rest);
  return launcherIn(container, [SHELL, LAUNCHER, directory.path, ...values, ...containment, ...agent]);
}

function launcherEnvironment(
  { spec }: LaunchRequest,
  container: Container,
): Readonly<Record<string, string>> {
  const env = { ...spec.env, [MARKER_VARIABLE]: markersFor(spec.marker) };
  return waitingProgram(container) === null ? env : environmentForPerl(env);
}

/**
 * A fork copies the page tables of the process that forks, and blocks it meanwhile: one millisecond for a Node process of
 * 60 MB, fifteen for one of 450 MB. Through the shell a spawn costs the event loop one write to a pipe at any size. macOS
 * creates processes without a fork.
 */
export class LaunchPad {
  readonly #table: ProcessTable;
  readonly #log: Logger;
  readonly #container: Container;
  #shell: LaunchShell | undefined;
  #shellWanted: boolean;
  #turn: Promise<void> = Promise.resolve();

  constructor(table: ProcessTable, log: Logger, shellWanted: boolean, container: Container) {
    this.#table = table;
    this.#log = log;
    this.#container = container;
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
    const shell = new LaunchShell(this.#table, this.#container, () => {
      if (this.#shell !== shell) return;
      this.#log.warn('the launch shell was killed; the next spawn starts another one');
      this.#shell = undefined;
    });
    this.#shell = shell;
  }

  #giveUpShell(): void {
    this.#log.info(
      'no launch shell on this system (no "setsid -f", or orphans stay zombies): spawns are slower',
    );
    this.close();
  }

  /** At most one fork per turn of the event loop. */
  async #launchChild(request: LaunchRequest): Promise<Launched> {
    this.#turn = this.#turn.then(() => nextTurn());
    await this.#turn;
    const [program, ...args] = launcherCommand(request, this.#container, 0);
    const subprocess = execa(program, args, {
      cwd: request.spec.cwd,
      env: launcherEnvironment(request, this.#container),
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

/**
 * `setsid -f` forks by itself: the shell need not wait, nor use `&`, after which SIGINT would be ignored. It leaves the
 * launcher to the system's first process. An orphan is started to see whether that one reaps orphans.
 */
const ORPHAN_TEST = `_signalbox_setsid=$(command -v setsid) &&
"$_signalbox_setsid" -f ${SHELL} -c 'echo orphan $$' </dev/null || echo unusable
`;
const MAX_ORPHAN_MS = 10_000;
const ORPHAN_POLL_MS = 50;

/**
 * A small shell beside this process that starts launchers as it reads them from its standard input.
 *
 * - A request takes effect as a whole or not at all: it is one compound command, and half of it is a syntax error.
 * - If the shell dies, launchers that run are not affected and still report their end.
 * - The shell ends with this process, because its standard input does. Launchers have a session of their own and keep running.
 */
class LaunchShell {
  readonly #table: ProcessTable;
  readonly #container: Container;
  readonly #stdin: Socket;
  readonly #stdout: Socket;
  readonly #open = new Map<number, () => void>();
  /**
   * `unusable`: `setsid` has no option -f (only that of util-linux has it), or orphans stay zombies (a container whose
   * first process is Node), or the shell is gone.
   */
  state: 'testing' | 'usable' | 'unusable' = 'testing';
  #launches = 0;

  /** @param died called once when the shell is gone */
  constructor(table: ProcessTable, container: Container, died: () => void) {
    this.#table = table;
    this.#container = container;
    const subprocess = execa(SHELL, ['-s'], {
      cwd: '/',
      env: {},
      extendEnv: false,
      detached: true,
      cleanup: false,
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'ignore',
      buffer: false,
      reject: false,
    });
    this.#stdin = asSocket(subprocess.stdin);
    this.#stdout = asSocket(subprocess.stdout);
    const end = () => {
      this.state = 'unusable';
      died();
    };
    subprocess.once('exit', end).once('error', end).unref();
    this.#stdin.on('error', () => {}).unref(); // a dead shell is noticed by its exit
    createInterface({ input: this.#stdout }).on('line', (line) => this.#receive(line));
    this.#stdin.write(ORPHAN_TEST);
    this.#unrefIfIdle();
  }

  launch(request: LaunchRequest): Launched {
    this.#launches += 1;
    const number = this.#launches;
    let over = false;
    const ended = new Promise<void>((resolve) => {
      this.#open.set(number, () => {
        over = true;
        resolve();
      });
    });
    this.#stdout.ref();
    this.#stdin.write(requestText(request, this.#container, number));
    return { ended, isOver: () => over, release: () => this.#release(number) };
  }

  close(): void {
    this.state = 'unusable';
    this.#stdin.end();
  }

  #receive(line: string): void {
    const [message, number] = line.split(' ');
    if (message === 'unusable') this.state = 'unusable';
    else if (message === 'orphan') this.#watchOrphan(Number(number), performance.now() + MAX_ORPHAN_MS);
    else this.#open.get(Number(number))?.(); // "ended" by a launcher, "failed" by the shell
    this.#unrefIfIdle();
  }

  #watchOrphan(pid: number, end: number): void {
    if (this.state !== 'testing') return;
    if (this.#table.lookup(pid) === undefined) this.state = 'usable';
    else if (performance.now() > end) this.state = 'unusable';
    else setTimeout(() => this.#watchOrphan(pid, end), ORPHAN_POLL_MS).unref();
  }

  #release(number: number): void {
    this.#open.delete(number);
    this.#unrefIfIdle();
  }

  /** An idle shell does not keep this process alive. */
  #unrefIfIdle(): void {
    if (this.#open.size === 0) this.#stdout.unref();
  }
}

function requestText(request: LaunchRequest, container: Container, number: number): string {
  const exports = Object.entries(launcherEnvironment(request, container)).map(
    ([name, value]) => `export ${name}=${quoted(value)}`,
  );
  const command = launcherCommand(request, container, number).map(quoted).join(' ');
  const steps = [`cd ${quoted(request.spec.cwd)}`, ...exports, `exec "$_signalbox_setsid" -f ${command}`];
  // Not by its name: an open that waits for another process would block the shell, and with it all launches.
  const errors = quoted(`/proc/${process.pid}/fd/${request.errors}`);
  return `(${steps.join(' && ')}) </dev/null 2>>${errors} || echo failed ${number}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function asSocket(stream: unknown): Socket {
  if (stream instanceof Socket) return stream;
  throw new TypeError('execa gave no pipe to the launch shell');
}
