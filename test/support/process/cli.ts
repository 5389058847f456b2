/** The program as people run it: a process with arguments, an exit code, and no terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { follow } from '../../../src/cli/follow.ts';
import { SignalboxClient } from '../../../src/client/client.ts';
import type { TaskAnswer } from '../../../src/contracts/api/answers.ts';
import { builtCli } from './build.ts';

export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CliSettings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The program to run, instead of the one that was just built. */
  readonly main?: string;
}

const UNTIL_TIMEOUT_MS = 30_000;

/** A running command. */
export class CliProcess implements AsyncDisposable {
  readonly ended: Promise<CliResult>;
  readonly #child: ChildProcess;
  readonly #looks = new Set<() => void>();
  out = '';
  err = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
      this.#look();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
      this.#look();
    });
    this.ended = once(child, 'close').then(([code]) => {
      this.#look();
      return { code: code as number | null, out: this.out, err: this.err };
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Waits until what it has written to standard output matches. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why} ${pattern}:\n${this.out}\n${this.err}`));
      const timer = setTimeout(() => fail(`did not print within ${UNTIL_TIMEOUT_MS} ms`), UNTIL_TIMEOUT_MS);
      const look = (): void => {
        const match = pattern.exec(this.out);
        if (match === null && this.#child.exitCode === null) return;
        clearTimeout(timer);
        this.#looks.delete(look);
        if (match) resolve(match);
        else fail('ended without printing');
      };
      this.#looks.add(look);
      look();
    });
  }

  /** As `| head` does it. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.signal('SIGTERM');
    await this.ended;
  }

  #look(): void {
    for (const look of [...this.#looks]) look();
  }
}

/** Starts `signalbox` with these arguments, and with the few environment variables that it needs to run. */
export async function startCli(args: readonly string[], settings: CliSettings = {}): Promise<CliProcess> {
  const { PATH, HOME, XDG_CACHE_HOME, SIGNALBOX_NATS_SERVER, TMPDIR } = process.env;
  const child = spawn(process.execPath, [settings.main ?? (await builtCli()), ...args], {
    cwd: settings.cwd ?? tmpdir(),
    env: { PATH, HOME, XDG_CACHE_HOME, SIGNALBOX_NATS_SERVER, TMPDIR, ...settings.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A command that reads nothing may be gone before this is written.
  child.stdin.on('error', () => {});
  child.stdin.end(settings.input ?? '');
  return new CliProcess(child);
}

/** Runs `signalbox` to its end. */
export async function runCli(args: readonly string[], settings: CliSettings = {}): Promise<CliResult> {
  return (await startCli(args, settings)).ended;
}

/** A Signalbox in a directory of its own, stopped and removed at the end of the scope. */
export class TestUp implements AsyncDisposable {
  readonly process: CliProcess;
  readonly directory: string;
  readonly url: string;
  readonly client: SignalboxClient;

  constructor(process: CliProcess, directory: string, url: string) {
    this.process = process;
    this.directory = directory;
    this.url = url;
    this.client = new SignalboxClient({ url });
  }

  /** The task, once it has settled. */
  async settled(id: string): Promise<TaskAnswer> {
    let last: TaskAnswer | undefined;
    for await (const { task } of follow({
      client: this.client,
      project: 'default',
      id,
      onUnreachable: () => {},
    })) {
      last = task;
    }
    if (last === undefined) throw new Error(`task ${id} has no updates`);
    return last;
  }

  /** Runs a command against it. */
  run(args: readonly string[], settings: CliSettings = {}): Promise<CliResult> {
    return runCli(args, this.settings(settings));
  }

  /** Starts a command against it. */
  start(args: readonly string[], settings: CliSettings = {}): Promise<CliProcess> {
    return startCli(args, this.settings(settings));
  }

  /** What a command prints as JSON, with exit code 0. */
  async json<T>(args: readonly string[]): Promise<T> {
    const { code, out, err } = await this.run([...args, '--json']);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${err}`);
    return JSON.parse(out) as T;
  }

  private settings({ env, ...settings }: CliSettings): CliSettings {
    return { cwd: this.directory, ...settings, env: { SIGNALBOX_URL: this.url, ...env } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export async function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'signalbox-cli-'));
}

/** Runs `signalbox up` with this configuration, on a free port. */
export async function startUp(config: string, settings: CliSettings = {}): Promise<TestUp> {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'signalbox.config.yaml'), config);
  const process = await startCli(['up', '--port', '0'], { ...settings, cwd: directory });
  try {
    const [, url = ''] = await process.until(/is ready: (\S+)/);
    return new TestUp(process, directory, url);
  } catch (error) {
    await process[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
