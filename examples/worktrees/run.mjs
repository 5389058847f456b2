#!/usr/bin/env node
/**
 * Three agents work on one repository at the same time, a fourth reviews, and what it approves is merged.
 *
 *     npm run build && node examples/worktrees/run.mjs
 *
 * It makes a small repository in a temporary directory. The agents are shell scripts, so no model and no key is needed:
 * each adds its name to the same file, in a worktree of its own. Whoever is merged second meets a conflict, gets it as a
 * comment, resolves it, and is reviewed again.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const exec = promisify(execFile);
const CODERS = ['ada', 'grace', 'linus'];

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Example',
  GIT_AUTHOR_EMAIL: 'example@example.org',
  GIT_COMMITTER_NAME: 'Example',
  GIT_COMMITTER_EMAIL: 'example@example.org',
};

/** @param {string} repository @returns the configuration: three agents that write, and one that reviews */
export function configOf(repository, directory) {
  const coder = {
    driver: 'command',
    command: ['sh', here('coder.sh')],
    env: IDENTITY,
    review: 'judge',
    workspace: { repository, base: 'main', on_approve: 'merge', keep_days: 0 },
  };
  return {
    data_dir: join(directory, 'data'),
    server: { port: 0 },
    agents: {
      ...Object.fromEntries(CODERS.map((id) => [id, coder])),
      judge: { driver: 'command', command: ['sh', here('judge.sh')], concurrency: 3 },
    },
  };
}

/**
 * @param {typeof import('signalbox').createSignalbox} createSignalbox
 * @param {(line: string) => void} say
 */
export async function run(createSignalbox, say) {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-worktrees-'));
  const repository = join(directory, 'repository');
  const git = async (...args) =>
    (await exec('git', args, { cwd: repository, env: { ...process.env, ...IDENTITY } })).stdout;
  try {
    await exec('git', ['init', '--quiet', '--initial-branch=main', repository]);
    await writeFile(join(repository, 'AUTHORS'), 'The authors:\n');
    await git('add', '--all');
    await git('commit', '--quiet', '--message', 'begin');
    const signalbox = await createSignalbox({ config: configOf(repository, directory), http: true });
    try {
      for (const agent of CODERS)
        await signalbox.createTask({ project: 'demo', id: agent, title: `Add ${agent} to AUTHORS`, agent });
      const tasks = await Promise.all(
        CODERS.map((task) => signalbox.settledTask({ project: 'demo', task }, ['comments'])),
      );
      for (const { id, status, attempt, comments = [] } of tasks) {
        say(`${id}: ${status} after ${attempt} ${attempt === 1 ? 'attempt' : 'attempts'}`);
        for (const { author, body } of comments) say(`  ${author}: ${body.split('\n')[0]}`);
      }
      say(await git('log', '--graph', '--oneline', 'main'));
      const authors = await readFile(join(repository, 'AUTHORS'), 'utf8');
      say(authors);
      return { tasks, authors };
    } finally {
      await signalbox.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { createSignalbox } = await import('signalbox');
  await run(createSignalbox, (line) => console.log(line));
}
