/**
 * Reviews a repository by its history and its sources, and reports each finding with file and line.
 *
 * Parameters: `repo` (a directory; default: the current one), `max_findings` (50), `max_commits` (200),
 * `max_function_lines` (80), `max_file_lines` (500), `max_depth` (4).
 */
import { basename, resolve } from 'node:path';
import { readHistory, requireDirectory } from './lib/git.mjs';
import { counted, table } from './lib/markdown.mjs';
import {
  changesOnly,
  hotspotFindings,
  hotspots,
  missingTests,
  untestedCommits,
} from './lib/repository-rules.mjs';
import { parameter, runAgent, say } from './lib/signalbox.mjs';
import { readSources } from './lib/source-files.mjs';
import { reviewFile } from './lib/source-rules.mjs';

/**
 * @typedef {import('./lib/source-rules.mjs').Finding} Finding
 * @typedef {{ name: string, sources: number, lines: number, passedOver: number, commits: number,
 *   historyProblem: string | null, hotspots: import('./lib/repository-rules.mjs').Hotspot[], findings: Finding[],
 *   leftOut: number }} Review
 */

const SEVERITIES = /** @type {const} */ (['high', 'medium', 'low']);

await runAgent(async (signalbox, task) => {
  const repo = resolve(parameter(task, 'repo', '.'));
  await requireDirectory(repo);
  await signalbox.status('working', `reviewing ${basename(repo)}`);

  const review = await reviewRepository(repo, task);
  const summary = `${counted(review.findings.length + review.leftOut, 'finding')} in ${counted(review.sources, 'source file')}`;
  say(summary);

  const title = `Code review of ${review.name}`;
  await signalbox.output({ type: 'document', title, content: report(review), summary });
  await signalbox.output({
    type: 'data',
    title: `${title}: findings`,
    content: JSON.stringify(review, null, 2),
    summary,
  });
  await signalbox.status('review', summary);
});

/** @param {string} repo @param {import('./lib/signalbox.mjs').Task} task @returns {Promise<Review>} */
async function reviewRepository(repo, task) {
  const { sources, passedOver } = await readSources(repo);
  if (sources.length === 0)
    throw new Error(`params.repo: no JavaScript, TypeScript or shell sources in ${repo}`);
  const history = await readHistory(repo, parameter(task, 'max_commits', 200));
  const commits = changesOnly(history.commits);
  const spots = hotspots(commits, sources);
  const limits = {
    maxFunctionLines: parameter(task, 'max_function_lines', 80),
    maxFileLines: parameter(task, 'max_file_lines', 500),
    maxDepth: parameter(task, 'max_depth', 4),
  };
  const findings = mostImportantFirst([
    ...sources.flatMap((file) => reviewFile(file, limits)),
    ...hotspotFindings(spots, commits.length),
    ...missingTests(sources),
    ...untestedCommits(commits, sources),
  ]);
  const shown = findings.slice(0, parameter(task, 'max_findings', 50));
  return {
    name: basename(repo),
    sources: sources.length,
    lines: sources.reduce((total, file) => total + file.lines, 0),
    passedOver,
    commits: commits.length,
    historyProblem: history.problem,
    hotspots: spots,
    findings: shown,
    leftOut: findings.length - shown.length,
  };
}

/**
 * By severity; within one, the worst of each rule before the second worst of any, so that one rule cannot crowd out the
 * others if only some findings are shown.
 * @param {Finding[]} findings
 */
function mostImportantFirst(findings) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  const ranked = findings
    .toSorted((a, b) => b.weight - a.weight)
    .map((finding) => {
      const rank = (seen.get(finding.rule) ?? 0) + 1;
      seen.set(finding.rule, rank);
      return { finding, rank };
    });
  const severity = (/** @type {Finding} */ finding) => SEVERITIES.indexOf(finding.severity);
  ranked.sort((a, b) => severity(a.finding) - severity(b.finding) || a.rank - b.rank);
  return ranked.map(({ finding }) => finding);
}

/** @param {Review} review */
function report(review) {
  const bySeverity = SEVERITIES.flatMap((severity) => {
    const findings = review.findings.filter((finding) => finding.severity === severity);
    const lines = findings.map(
      ({ rule, file, line, message }) => `- \`${file}:${line}\` ${message} (${rule})`,
    );
    return lines.length > 0 ? [`## ${heading(severity)} (${lines.length})\n\n${lines.join('\n')}`] : [];
  });
  const spots = review.hotspots.map(({ file, commits, changed, lines }) => [
    `\`${file}\``,
    commits,
    changed,
    lines,
  ]);
  const leftOut =
    review.leftOut > 0 ? [`${counted(review.leftOut, 'less important finding')} left out.`] : [];
  return [
    `# Code review of ${review.name}`,
    basis(review),
    ...(bySeverity.length > 0 ? bySeverity : ['Nothing was found.']),
    ...leftOut,
    ...(spots.length > 0
      ? [`## Files that change most\n\n${table(['File', 'Commits', 'Lines changed', 'Lines now'], spots)}`]
      : []),
  ].join('\n\n');
}

/** What the review rests on. @param {Review} review */
function basis({ sources, lines, passedOver, commits, historyProblem }) {
  const read = `Read: ${counted(sources, 'source file')} with ${counted(lines, 'line')}`;
  const skipped = passedOver > 0 ? ` (generated or too large, and not read: ${passedOver})` : '';
  const history = historyProblem === null ? counted(commits, 'commit') : `no history (${historyProblem})`;
  return `${read}${skipped} and ${history}.`;
}

/** @param {string} severity */
function heading(severity) {
  return `${severity.charAt(0).toUpperCase()}${severity.slice(1)} severity`;
}
