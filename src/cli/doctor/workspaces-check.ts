/** Checks the worktrees of tasks: those of which the log knows nothing, and those that are kept. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { SignalboxClient } from '../../client/client.ts';
import type { WorkspaceAnswer } from '../../contracts/workspace-api.ts';
import { namesIn } from '../../daemon/embedded/files.ts';
import { type Check, type Finding, ok, warn } from './finding.ts';

const CHECK = 'workspaces';
const TIMEOUT_MS = 5_000;

export const checkWorkspaces: Check = async ({ config, env, url }) => {
  const there = await directoriesIn(join(config.data_dir, 'workspaces', 'trees'));
  if (there.length === 0) return [ok(CHECK, 'none')];
  const token = env.SIGNALBOX_TOKEN || undefined;
  const client = new SignalboxClient({ url, token, timeoutMs: TIMEOUT_MS, retry: { retries: 0 } });
  const answer = await client.listWorkspaces().catch(() => null);
  if (answer === null)
    return [ok(CHECK, `${there.length}; start Signalbox and run doctor again to see those without a task`)];
  return findings(there, answer.workspaces);
};

function findings(there: readonly string[], known: readonly WorkspaceAnswer[]): Finding[] {
  const paths = new Set(known.map(({ path }) => path));
  const orphans = there.filter((path) => !paths.has(path));
  const kept = known.filter((each) => each.kept !== null);
  const found: Finding[] = [];
  if (orphans.length > 0) {
    const advice =
      'save what you need from them, then remove each with "git worktree remove --force PATH" in its repository';
    found.push(warn(CHECK, `the log knows nothing of:\n${orphans.join('\n')}`, advice));
  }
  if (kept.length > 0) {
    const list = kept.map(({ path, kept: reason }) => `${path}: ${reason}`).join('\n');
    const advice = 'merge their work, or remove one with "signalbox workspace rm TASK --discard"';
    found.push(warn(CHECK, `kept after the end of their tasks:\n${list}`, advice));
  }
  return found.length > 0 ? found : [ok(CHECK, `${there.length}, each of a task`)];
}

/** Also what is left of a removal that was interrupted. */
async function directoriesIn(root: string): Promise<string[]> {
  const base = await realpath(root).catch(() => root);
  const projects = await namesIn(base);
  const found = await Promise.all(
    projects.map(async (project) =>
      (await namesIn(join(base, project))).map((task) => join(base, project, task)),
    ),
  );
  return found.flat();
}
