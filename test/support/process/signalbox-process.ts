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
  /** The same at each start; without it, a free port each time. */
  readonly port?: number;
}

/** A directory with a configuration and data, in which Signalbox is started, killed and started again. */
export class Sandbox implements AsyncDisposable {
  readonly directory: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #port: number;
  #process: ChildProcess | null = null;
  #stdout = '';
  #stderr = '';
  #url = '';

  private constructor(directory: string, env: Readonly<Record<string, string>>, port: number) {
    this.directory = directory;
    this.#env = env;
    this.#port = port;
  }

  static async create({ config, env = {}, port = 0 }: SandboxSettings): Promise<Sandbox> {
    const sandbox = new Sandbox(await mkdtemp(join(tmpdir(), 'signalbox-sandbox-')), env, port);
    await sandbox.configure(config);
    return sandbox;
  }

  /** Writes another configuration, for the next start. */
  async configure(config: object): Promise<void> {
    // Agents must not outlive their test.
    const shutdown = { agents: 'kill', drain_seconds: 0.1 };
    await writeFile(join(this.directory, 'signalbox.config.json'), JSON.stringify({ shutdown, ...config }));
  }

  /** Makes an empty file. */
  async touch(file: string): Promise<void> {
    await writeFile(join(this.directory, file), '');
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
    await this.launch();
    await this.ready();
  }

  /** Starts `signalbox up`, and does not wait for it. */
  async launch(): Promise<void> {
    await this.#spawn();
  }

  /** Starts `signalbox up --standby`, and returns when it says that it is standing by. */
  async standBy(): Promise<void> {
    await this.#spawn('--standby');
    await this.#said(/is standing by/);
  }

  /** Returns when it says that it is ready. */
  async ready(): Promise<void> {
    const [, url = ''] = await this.#said(/is ready: (\S+)/);
    this.#url = url;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Waits for what it prints. */
  #said(pattern: RegExp): Promise<RegExpExecArray> {
    const child = this.#process;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this.#stdout);
        if (found) resolve(found);
      };
      child?.stdout?.on('data', look);
      child?.once('exit', (code) => reject(new Error(`signalbox ended with ${code}:\n${this.#stderr}`)));
      look();
    });
  }

  /** Starts it when it is expected to refuse, and returns how it ended. */
  async refused(): Promise<ProcessResult> {
    const child = await this.#spawn();
    const [code] = (await once(child, 'exit')) as [number | null];
    return { code, stderr: this.#stderr };
  }

  /** Waits for the end of the process, and returns how it ended. */
  async exited(): Promise<ProcessResult> {
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return { code: child?.exitCode ?? null, stderr: this.#stderr };
  }

  async kill(signal: NodeJS.Signals): Promise<ProcessResult> {
    this.signal(signal);
    return this.exited();
  }

  /** @returns false if there is no process to signal */
  signal(signal: NodeJS.Signals): boolean {
    return this.#process?.kill(signal) ?? false;
  }

  async get<Body>(path: string): Promise<Body> {
    const answer = await fetch(`${this.#url}${path}`);
    return (await answer.json()) as Body;
  }

  post(path: string, body: object): Promise<Response> {
    return this.#send('POST', path, body);
  }

  patch(path: string, body: object): Promise<Response> {
    return this.#send('PATCH', path, body);
  }

  #send(method: string, path: string, body: object): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Lines of a file that agents write to; none if it does not exist yet. */
  async lines(file: string): Promise<string[]> {
    const text = await readFile(join(this.directory, file), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGTERM');
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #spawn(...args: string[]): Promise<ChildProcess> {
    this.#stdout = '';
    this.#stderr = '';
    const child = spawn(process.execPath, [await builtCli(), 'up', '--port', String(this.#port), ...args], {
      cwd: this.directory,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, SIGNALBOX_LOG_LEVEL: 'info', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk;
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk;
    });
    this.#process = child;
    return child;
  }
}
