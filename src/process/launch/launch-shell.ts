import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import type { ProcessTable } from '../host/process-table.ts';
import {
  type Launched,
  type LaunchRequest,
  launcherArguments,
  launcherEnvironment,
  SHELL,
} from './launch.ts';

/**
 * `setsid -f` forks by itself: the shell need not wait, nor use `&`, which lets SIGINT be ignored ever after. It leaves the
 * launcher to the system's first process. Whether that one takes note of orphans that end is tried out with an orphan.
 */
const GREETING = `_signalbox_setsid=$(command -v setsid) &&
"$_signalbox_setsid" -f ${SHELL} -c 'echo orphan $$' </dev/null || echo unusable
`;
const ORPHAN_MS_MAX = 10_000;
const ORPHAN_POLL_MS = 50;

/**
 * `unusable`: `setsid` has no option -f (util-linux has it), or orphans stay zombies (a container whose first process is
 * Node), or the shell is gone.
 */
export type ShellState = 'on_trial' | 'usable' | 'unusable';

/**
 * A small shell beside this process that starts launchers as it reads them from its standard input.
 *
 * L1. A request takes effect as a whole or not at all: it is one compound command, and half of it is a syntax error.
 * L2. If the shell dies, launchers at work are not affected and go on reporting their end.
 * L3. The shell ends with this process, as its standard input does. Launchers have a session of their own and stay.
 */
export class LaunchShell {
  readonly #table: ProcessTable;
  readonly #stdin: Socket;
  readonly #stdout: Socket;
  readonly #open = new Map<number, () => void>();
  #state: ShellState = 'on_trial';
  #launches = 0;

  /** @param died called once when the shell is gone */
  constructor(table: ProcessTable, died: () => void) {
    this.#table = table;
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
      this.#state = 'unusable';
      died();
    };
    subprocess.once('exit', end).once('error', end).unref();
    this.#stdin.on('error', () => {}).unref(); // a dead shell shows by its exit
    createInterface({ input: this.#stdout }).on('line', (line) => this.#hear(line));
    this.#stdin.write(GREETING);
    this.#rest();
  }

  get state(): ShellState {
    return this.#state;
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
    this.#stdin.write(requestText(request, number));
    return { ended, isOver: () => over, release: () => this.#release(number) };
  }

  close(): void {
    this.#state = 'unusable';
    this.#stdin.end();
  }

  #hear(line: string): void {
    const [word, number] = line.split(' ');
    if (word === 'unusable') this.#state = 'unusable';
    else if (word === 'orphan') this.#watchOrphan(Number(number), performance.now() + ORPHAN_MS_MAX);
    else this.#open.get(Number(number))?.(); // "ended" by a launcher, "failed" by the shell
    this.#rest();
  }

  #watchOrphan(pid: number, end: number): void {
    if (this.#state !== 'on_trial') return;
    if (this.#table.lookup(pid) === undefined) this.#state = 'usable';
    else if (performance.now() > end) this.#state = 'unusable';
    else setTimeout(() => this.#watchOrphan(pid, end), ORPHAN_POLL_MS).unref();
  }

  #release(number: number): void {
    this.#open.delete(number);
    this.#rest();
  }

  /** An idle shell does not keep this process alive. */
  #rest(): void {
    if (this.#open.size === 0) this.#stdout.unref();
  }
}

function requestText(request: LaunchRequest, number: number): string {
  const exports = Object.entries(launcherEnvironment(request)).map(
    ([name, value]) => `export ${name}=${quoted(value)}`,
  );
  const command = [SHELL, ...launcherArguments(request, number)].map(quoted).join(' ');
  const steps = [`cd ${quoted(request.spec.cwd)}`, ...exports, `exec "$_signalbox_setsid" -f ${command}`];
  const errors = quoted(request.directory.launchErrors);
  return `(${steps.join(' && ')}) </dev/null 2>>${errors} || echo failed ${number}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function asSocket(stream: unknown): Socket {
  if (stream instanceof Socket) return stream;
  throw new TypeError('execa gave no pipe to the launch shell');
}
