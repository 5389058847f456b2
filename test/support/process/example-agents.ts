/** Runs the example agents as real processes against a board that records their requests. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));
export const AGENTS = join(EXAMPLES, 'agents');
/** A token that must not appear in any output of an agent. */
export const TOKEN = 'token-9f2c6a1e-never-to-be-shown';

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: any JSON that the agent sent
  readonly body: any;
}

/** An answer instead of the usual one; `cut` closes the connection without an answer. */
export type Answer = 'cut' | Reply;

export interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: object;
}

export interface BoardOptions {
  /** Fields of the task in addition to its id: `params`, `attempts`, `reason`. */
  readonly task?: object;
  readonly answer?: (call: Call, index: number) => Answer | undefined;
}

export class Board implements AsyncDisposable {
  readonly calls: Call[] = [];
  readonly #options: BoardOptions;
  readonly #server: Server;

  private constructor(options: BoardOptions) {
    this.#options = options;
    this.#server = createServer(async (request, response) => {
      const answer = await this.#take(request);
      if (answer === 'cut') {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(JSON.stringify(answer.body ?? {}));
    });
  }

  static async open(options: BoardOptions = {}): Promise<Board> {
    const board = new Board(options);
    board.#server.listen(0, '127.0.0.1');
    await once(board.#server, 'listening');
    return board;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The messages that were posted, in order: `status working`, `outputs document`, … */
  get messages(): string[] {
    const posts = this.calls.filter(({ method }) => method === 'POST');
    return posts.map(
      ({ path, body }) => `${path.split('/').at(-1)} ${body.status ?? body.type ?? body.author}`,
    );
  }

  /** The bodies of the posts to `outputs`, `status` or `comments`. */
  posted(kind: string): Call['body'][] {
    return this.calls.filter(({ path }) => path.endsWith(`/${kind}`)).map(({ body }) => body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage): Promise<Answer> {
    const sent = await text(request);
    const { method = '', url: path = '', headers } = request;
    const call = {
      method,
      path,
      authorization: headers.authorization,
      body: sent === '' ? null : JSON.parse(sent),
    };
    const answer = this.#options.answer?.(call, this.calls.length);
    this.calls.push(call);
    if (answer) return answer;
    const task = { project: 'demo', id: 'task-1', title: 'A task', ...this.#options.task };
    return { status: method === 'GET' ? 200 : 201, body: method === 'GET' ? task : {} };
  }
}

export interface RunOptions {
  readonly cwd?: string;
  readonly attempt?: number;
  readonly promptFile?: string;
  readonly env?: Record<string, string>;
}

/** The environment that an agent gets. */
export function agentEnvironment(port: number, options: RunOptions = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    SIGNALBOX_URL: `http://127.0.0.1:${port}`,
    SIGNALBOX_PROJECT: 'demo',
    SIGNALBOX_TASK_ID: 'task-1',
    SIGNALBOX_ATTEMPT: String(options.attempt ?? 1),
    SIGNALBOX_AGENT_ID: 'tester',
    SIGNALBOX_TOKEN: TOKEN,
    ...(options.promptFile === undefined ? {} : { SIGNALBOX_PROMPT_FILE: options.promptFile }),
    ...options.env,
  };
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd = EXAMPLES,
): Promise<Ended> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), exited(child)]);
    return { code: child.exitCode, stdout, stderr };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Runs one of the example agents to its end. */
export function runAgent(name: string, board: Board, options: RunOptions = {}): Promise<Ended> {
  return run([process.execPath, join(AGENTS, name)], agentEnvironment(board.port, options), options.cwd);
}

export async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** A directory that is removed at the end of the scope. */
export class Directory implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(files: Record<string, string> = {}): Promise<Directory> {
    const directory = new Directory(await mkdtemp(join(tmpdir(), 'signalbox-examples-')));
    await directory.write(files);
    return directory;
  }

  async write(files: Record<string, string>): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(this.path, name)), { recursive: true });
      await writeFile(join(this.path, name), content);
    }
  }

  /** Writes the files and commits all that there is. */
  async commit(message: string, files: Record<string, string>): Promise<void> {
    await this.write(files);
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--message', message);
  }

  async git(...args: string[]): Promise<string> {
    const who = ['-c', 'user.name=Tester', '-c', 'user.email=tester@example.org'];
    // Without the settings and hooks of the user who runs the tests.
    const env = { PATH: process.env.PATH, HOME: this.path, GIT_CONFIG_NOSYSTEM: '1' };
    const { stdout } = await promisify(execFile)('git', ['-C', this.path, ...who, ...args], { env });
    return stdout;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }
}
