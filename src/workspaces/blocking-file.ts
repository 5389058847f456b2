/**
 * Finds what a git that does not come to an end waits for: a FIFO or a device that an agent has put in place of a file
 * that git opens without looking. Only asked if a call is slow: a large repository takes a while to search.
 */
import { spawn } from 'node:child_process';

/** What a call of git opens files in. */
export interface Opened {
  /** The directory that all worktrees of a repository share: git opens any file of it. */
  readonly common?: string;
  /** Of the files there, git opens its own, such as `.gitignore`; others are left out if they are no files. */
  readonly worktree?: string;
}

const SEARCH_MS = 20_000;
const BLOCKING = ['(', '-type', 'p', '-o', '-type', 'c', ')', '-print', '-quit'];

/** @returns the first one that is found; null if there is none, or it cannot be found out. Never rejects. */
export async function blockingFile({ common, worktree }: Opened): Promise<string | null> {
  const inCommon = common === undefined ? null : await firstFound([common, ...BLOCKING]);
  if (inCommon !== null || worktree === undefined) return inCommon;
  return firstFound([worktree, '-name', '.git*', ...BLOCKING]);
}

/** A program of its own: a deep or huge directory must not occupy the threads of this process. */
function firstFound(args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn('find', args, {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: SEARCH_MS,
      killSignal: 'SIGKILL',
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    child.on('error', () => resolve(null));
    child.on('close', () => resolve(text.split('\n')[0] || null));
  });
}
