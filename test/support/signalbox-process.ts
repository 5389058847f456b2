/** Signalbox as its users run it: `signalbox up` as a process of its own, to be killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtCli } from './build.ts';

export interface ProcessResult {
  readonly code: number | null;
  readonly stderr: string;
}

export interface SandboxSettings {
  /** The configuration as an object; JSON is YAML. */
  readonly config: object;
  readonly env?: Readonly<Record<string, string>>;
}

/** A directory with a configuration and data, in which Signalbox is started, killed and started again. */
export class Sandbox implements AsyncDisposable {
  readonly directory: string;
  readonly #env: Readonly<Record<string, string>>;
  #process: ChildProcess | null = null;
  #stderr = '';
  #url = '';

  private constructor(directory: string, env: Readonly<Record<string, string>>) {
    this.directory = directory;
    this.#env = env;
  }

  static async create({ config, env = {} }: SandboxSettings): Promise<Sandbox> {
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-sandbox-'));
    // Nothing that a test has started may outlive it.
    const shutdown = { agents: 'kill', drain_seconds: 0.1 };
    await writeFile(join(directory, 'signalbox.config.json'), JSON.stringify({ shutdown, ...config }));
    return new Sandbox(directory, env);
  }

  get url(): string {
    return this.#url;
  }

  /** What it has logged since its last start. */
  get log(): string {
    return this.#stderr;
  }

  /** Starts `signalbox up`, and returns when it says that it is ready. */
  async up(): Promise<void> {
    const child = await this.#spawn();
    const ready = new Promise<string>((resolve, reject) => {
      let stdout = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        stdout += chunk;
        const [, url] = /is ready: (\S+)/.exec(stdout) ?? [];
        if (url !== undefined) resolve(url);
      });
      child.once('exit', (code) => reject(new Error(`signalbox ended with ${code}:\n${this.#stderr}`)));
    });
    this.#url = await ready;
  }

  /** Starts it where it is expected to refuse, and returns how it ended. */
  async refused(): Promise<ProcessResult> {
    const child = await this.#spawn();
    const [code] = (await once(child, 'exit')) as [number | null];
    return { code, stderr: this.#stderr };
  }

  /** How the process ended, by itself or by what the test did. */
  async exited(): Promise<ProcessResult> {
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return { code: child?.exitCode ?? null, stderr: this.#stderr };
  }

  async kill(signal: NodeJS.Signals): Promise<ProcessResult> {
    this.#process?.kill(signal);
    return this.exited();
  }

  async get<Body>(path: string): Promise<Body> {
    const answer = await fetch(`${this.#url}${path}`);
    return (await answer.json()) as Body;
  }

  async post(path: string, body: object): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Lines of a file that agents write to; none where it does not exist yet. */
  async lines(file: string): Promise<string[]> {
    const text = await readFile(join(this.directory, file), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGTERM');
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #spawn(): Promise<ChildProcess> {
    this.#stderr = '';
    const child = spawn(process.execPath, [await builtCli(), 'up', '--port', '0'], {
      cwd: this.directory,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, SIGNALBOX_LOG_LEVEL: 'info', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk;
    });
    this.#process = child;
    return child;
  }
}
