/**
 * Writes a changelog from the history of a repository: by tag, and within a tag by kind of change. Without a history,
 * it writes the outline of the README instead.
 *
 * Parameters: `repo` (a directory; default: the current one), `max_commits` (500).
 */
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { readHistory, requireDirectory } from './lib/git.mjs';
import { counted } from './lib/markdown.mjs';
import { parameter, runAgent, say } from './lib/signalbox.mjs';

const KINDS = ['Breaking', 'Added', 'Changed', 'Fixed', 'Removed', 'Documentation', 'Maintenance'];
/** Conventional commits (`feat(api): …`) and, without them, the verb that a subject begins with. */
const KIND_OF_WORD = new Map(
  Object.entries({
    Added:
      'feat feature add adds added introduce introduced implement implemented support create created allow',
    Fixed: 'fix fixes fixed bugfix hotfix correct corrected prevent handle repair',
    Removed: 'remove removes removed drop dropped delete deleted deprecate',
    Documentation: 'docs doc document documented readme',
    Maintenance: 'chore ci build test tests style release bump bumps upgrade deps dependencies merge lint',
  }).flatMap(([kind, words]) =>
    words.split(' ').map((word) => /** @type {[string, string]} */ ([word, kind])),
  ),
);
const CONVENTIONAL = /^(\w+)(?:\(([^)]*)\))?(!)?:\s+(.+)$/;
/** Release commits are left out: the tag says the same. */
const VERSION = /^(?:release\s+)?v?\d+\.\d+\.\d+\S*$/i;

/** @typedef {{ title: string, changes: Map<string, string[]> }} Release */

await runAgent(async (signalbox, task) => {
  const repo = resolve(parameter(task, 'repo', '.'));
  await requireDirectory(repo);
  await signalbox.status('working', `writing the changelog of ${basename(repo)}`);

  const { commits, problem } = await readHistory(repo, parameter(task, 'max_commits', 500));
  const changes = commits.filter((commit) => commit.parents.length < 2);
  const document = changes.length > 0 ? changelog(commits) : await outline(repo, problem);
  const summary =
    changes.length > 0
      ? `${counted(changes.length, 'commit')} sorted`
      : `no history: ${problem ?? 'no commit'}`;
  say(summary);

  await signalbox.output({ type: 'document', ...document, summary });
  await signalbox.status('review', summary);
});

/** @param {import('./lib/git.mjs').Commit[]} commits newest first @returns {{ title: string, content: string }} */
function changelog(commits) {
  /** @type {Release[]} */
  const releases = [{ title: 'Unreleased', changes: new Map() }];
  for (const commit of commits) {
    if (commit.tags.length > 0)
      releases.push({ title: `${commit.tags.join(', ')} (${commit.date})`, changes: new Map() });
    if (commit.parents.length > 1 || VERSION.test(commit.subject)) continue;
    const { kind, text } = classify(commit);
    const { changes } = releases[releases.length - 1];
    changes.set(kind, [...(changes.get(kind) ?? []), `- ${text} (${commit.hash})`]);
  }
  const sections = releases.filter(({ changes }) => changes.size > 0).map(releaseText);
  return { title: 'CHANGELOG.md', content: ['# Changelog', ...sections].join('\n\n') };
}

/** @param {import('./lib/git.mjs').Commit} commit @returns {{ kind: string, text: string }} */
function classify({ subject, body }) {
  const [, type, scope, bang, rest] = CONVENTIONAL.exec(subject) ?? [];
  const word = (type ?? /\w+/.exec(subject)?.[0] ?? '').toLowerCase();
  const known = KIND_OF_WORD.get(word);
  const breaking = bang !== undefined || /^BREAKING[ -]CHANGE:/m.test(body);
  // `http: close idle sockets` names a part of the program, not a kind of change: the subject stays unchanged.
  const text =
    rest === undefined || (known === undefined && !/^(?:refactor|perf|revert)$/.test(word)) ? subject : rest;
  return { kind: breaking ? 'Breaking' : (known ?? 'Changed'), text: scope ? `**${scope}**: ${text}` : text };
}

/** @param {Release} release */
function releaseText({ title, changes }) {
  const kinds = KINDS.filter((kind) => changes.has(kind));
  return [`## ${title}`, ...kinds.map((kind) => `### ${kind}\n\n${changes.get(kind)?.join('\n')}`)].join(
    '\n\n',
  );
}

/** @param {string} repo @param {string | null} problem @returns {Promise<{ title: string, content: string }>} */
async function outline(repo, problem) {
  const text = await readFile(join(repo, 'README.md'), 'utf8').catch(() => null);
  if (text === null)
    throw new Error(`params.repo: ${repo} has neither a history (${problem}) nor a README.md`);
  // A line that begins with # inside a fenced block is not a heading.
  const lines = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, (block) => block.replace(/[^\n]/g, '')).split('\n');
  const headings = lines.flatMap((line, index) => {
    const [, marks, heading] = /^(#{1,6})\s+(.+?)\s*#*$/.exec(line) ?? [];
    return heading ? [`${'  '.repeat(marks.length - 1)}- ${heading} (line ${index + 1})`] : [];
  });
  return {
    title: 'Outline of README.md',
    content: ['# Outline of README.md', headings.join('\n')].join('\n\n'),
  };
}
