/**
 * Runs git without ever executing what an agent wrote.
 *
 * Agents can write into the repository of their worktree: its configuration, hooks, attributes and ignore files. So no
 * call of git here reads a configuration that names a program: hooks, file system monitors, filters, diff and merge
 * drivers, editors and transports are switched off, and whatever looks at files of a worktree runs with a git directory of
 * Signalbox's own (repository.ts). Every call has a limit of time and of output, and one that waits for a FIFO in place of a
 * file is ended within seconds: other tasks of the repository wait for it.
 */
import { spawn } from 'node:child_process';
import type { Variables } from '../base/environment.ts';
import { cutText } from '../base/text/cut-text.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { blockingFile, type Opened } from './blocking-file.ts';

export interface GitCall {
  readonly args: readonly string[];
  readonly env?: Variables;
  readonly input?: string;
  /** Bytes of standard output that are kept. More than that is an error, unless `mayCut`. */
  readonly maxBytes?: number;
  /** Whether the output may be cut at `maxBytes`. */
  readonly mayCut?: boolean;
  readonly timeoutMs?: number;
  /** Where to look for what it waits for, if it is slow. */
  readonly opened?: Opened;
  /** Exit codes that are results. Default: 0. */
  readonly okCodes?: readonly number[];
}

export interface GitResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether there was more output than `maxBytes`. */
  readonly isCut: boolean;
}

const MAX_BYTES = 16 * 1_024 * 1_024;
const MAX_MESSAGE_BYTES = 16_384;
const TIMEOUT_MS = 60_000;
/** After this, the cause is looked for. */
const SLOW_MS = 2_000;

const NO_PROGRAMS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'core.untrackedCache=false',
  'core.editor=false',
  'core.pager=cat',
  'core.sshCommand=false',
  'core.quotePath=false',
  'credential.helper=',
  'protocol.allow=never',
  'commit.gpgSign=false',
  'submodule.recurse=false',
  'gc.auto=0',
  'maintenance.auto=false',
  // The operator named the repository, and its owner may be another user.
  'safe.directory=*',
].flatMap((setting) => ['-c', setting]);

const ENVIRONMENT = {
  LC_ALL: 'C',
  HOME: '/nonexistent',
  XDG_CONFIG_HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_EDITOR: 'false',
  GIT_ASKPASS: 'false',
  GIT_PAGER: 'cat',
} as const;

/** A call of git that failed: its code and messages, or that it took too long. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly code: number | null;

  constructor(message: string, code: number | null) {
    super(message);
    this.code = code;
  }
}

/** @throws GitError, SignalboxError `spawn_failed` if there is no git */
export function git(call: GitCall, path: string | undefined): Promise<GitResult> {
  const { args, env = {}, input, maxBytes = MAX_BYTES, mayCut = false } = call;
  const { timeoutMs = TIMEOUT_MS, okCodes = [0], opened = {} } = call;
  const name = `git ${args.find((each) => /^[a-z]/.test(each)) ?? ''}`;
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...NO_PROGRAMS, ...args], {
      // Not in a directory of an agent: what git looks at is always named.
      cwd: '/',
      env: { PATH: path, ...ENVIRONMENT, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own, so that its children end with it.
      detached: true,
    });
    const pieces: Buffer[] = [];
    let bytes = 0;
    let message = '';
    let failure: GitError | null = null;
    let isCut = false;
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
    const timer = setTimeout(() => {
      failure = new GitError(`${name} took longer than ${timeoutMs / 1_000} seconds`, null);
      end();
    }, timeoutMs);
    const slow = setTimeout(() => void endIfBlocked(), SLOW_MS);
    const endIfBlocked = async (): Promise<void> => {
      const file = await blockingFile(opened);
      if (file === null || child.exitCode !== null || child.signalCode !== null) return;
      failure = new GitError(`${name} cannot go on: ${file} is not a file. Remove it`, null);
      end();
    };
    child.stdout.on('data', (piece: Buffer) => {
      if (isCut) return;
      const room = maxBytes - bytes;
      pieces.push(piece.subarray(0, room));
      bytes += Math.min(piece.length, room);
      if (piece.length <= room) return;
      isCut = true;
      if (!mayCut) failure = new GitError(`${name} printed more than ${maxBytes} bytes`, null);
      end();
    });
    child.stderr.on('data', (piece: Buffer) => {
      if (message.length < MAX_MESSAGE_BYTES) message += piece.toString().slice(0, MAX_MESSAGE_BYTES);
    });
    // It may end without reading its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    child.on('error', (cause) => {
      clearTimeout(timer);
      clearTimeout(slow);
      const text = `git cannot be run: ${cause.message}. Install git 2.38 or later`;
      reject(new SignalboxError('spawn_failed', text, { cause }));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      clearTimeout(slow);
      const stdout = Buffer.concat(pieces).toString();
      if (failure) return reject(failure);
      if (isCut || (code !== null && okCodes.includes(code)))
        return resolve({ code: code ?? 0, stdout, stderr: message.trim(), isCut });
      reject(new GitError(`${name} failed: ${lineOf(message) || `it ended by ${signal ?? code}`}`, code));
    });
  });
}

/** The line of git's messages that says what is wrong. */
function lineOf(message: string): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  const found = lines.find((line) => /^(fatal|error):/.test(line)) ?? lines[0] ?? '';
  return cutText(found.replace(/^(fatal|error): /, ''), 500);
}
