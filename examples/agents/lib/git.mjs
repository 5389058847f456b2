import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/**
 * @typedef {{ path: string, added: number, deleted: number }} FileChange
 * @typedef {{ hash: string, date: string, parents: string[], tags: string[], subject: string, body: string,
 *   files: FileChange[] }} Commit
 */

/** @param {string} repo a directory @param {...string} args @returns {Promise<string>} what git printed */
export async function git(repo, ...args) {
  const options = { maxBuffer: MAX_OUTPUT_BYTES, env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' } };
  const { stdout } = await run('git', ['-C', repo, '-c', 'core.quotePath=false', ...args], options);
  return stdout;
}

/** @param {string} repo @throws {Error} if it is not a directory */
export async function requireDirectory(repo) {
  const found = await stat(repo).catch(() => null);
  if (!found?.isDirectory()) throw new Error(`params.repo: ${repo} is not a directory`);
}

/**
 * The newest commits, newest first, with the lines that each changed below `repo`. A merge lists no files. A commit
 * without parents (the first one, or the edge of a shallow clone) lists all files as added.
 * @param {string} repo @param {number} maxCommits
 * @returns {Promise<{ commits: Commit[], problem: string | null }>} `problem` says why there is no history
 */
export async function readHistory(repo, maxCommits) {
  const format = '--format=%x1e%h%x1f%cs%x1f%P%x1f%D%x1f%s%x1f%b%x1f';
  try {
    const log = await git(
      repo,
      'log',
      `-${maxCommits}`,
      '--numstat',
      '--no-renames',
      '--relative',
      format,
      '--',
      '.',
    );
    return { commits: log.split('\x1e').slice(1).map(parseCommit), problem: null };
  } catch (error) {
    const { code, stderr, message } = /** @type {Error & { code?: unknown, stderr?: string }} */ (error);
    const reason = code === 'ENOENT' ? 'git is not installed' : (stderr || message).trim().split('\n')[0];
    return { commits: [], problem: reason };
  }
}

/** @param {string} text @returns {Commit} */
function parseCommit(text) {
  const [hash, date, parents, refs, subject, body, numstat] = text.split('\x1f');
  const tags = refs.split(', ').filter((ref) => ref.startsWith('tag: '));
  return {
    hash,
    date,
    parents: parents.split(' ').filter(Boolean),
    tags: tags.map((ref) => ref.slice('tag: '.length)),
    subject,
    body,
    files: numstat.split('\n').flatMap(parseChange),
  };
}

/** @param {string} line `added TAB deleted TAB path`, with dashes for a binary file @returns {FileChange[]} */
function parseChange(line) {
  const [added, deleted, path] = line.split('\t');
  return path ? [{ path, added: Number(added) || 0, deleted: Number(deleted) || 0 }] : [];
}
