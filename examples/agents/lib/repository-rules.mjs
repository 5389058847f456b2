/** What the code review looks for across the files and the history of a repository. */
import { basename } from 'node:path';
import { counted } from './markdown.mjs';
import { isTestPath } from './source-files.mjs';
import { finding, shortened } from './source-rules.mjs';

/**
 * @typedef {import('./git.mjs').Commit} Commit
 * @typedef {import('./source-files.mjs').SourceFile} SourceFile
 * @typedef {import('./source-rules.mjs').Finding} Finding
 * @typedef {{ file: string, commits: number, changed: number, lines: number }} Hotspot
 */

const HOTSPOTS = 10;
const FLAGGED_HOTSPOTS = 3;
const FLAGGED_COMMITS = 5;
const FLAGGED_FILES = 10;
/** Smaller files and changes are not reported. */
const MIN_HOTSPOT_LINES = 150;
const MIN_UNTESTED_LINES = 40;
const MIN_COMMIT_LINES = 20;
const IMPORT = /(?:\bfrom|\bimport|\brequire|\bmock)\s*\(?\s*['"`]([^'"`\n]+)['"`]/g;

/** Commits with known changes: the first commit, or the edge of a shallow clone, shows everything as new. @param {Commit[]} commits */
export function changesOnly(commits) {
  return commits.filter((commit) => commit.parents.length === 1);
}

/**
 * The files that change most: number of changes times size.
 * @param {Commit[]} commits @param {SourceFile[]} sources
 * @returns {Hotspot[]} hottest first
 */
export function hotspots(commits, sources) {
  /** @type {Map<string, Hotspot>} */
  const byPath = new Map();
  for (const { path: file, lines, isTest } of sources) {
    if (!isTest) byPath.set(file, { file, commits: 0, changed: 0, lines });
  }
  for (const change of commits.flatMap((commit) => commit.files)) {
    const spot = byPath.get(change.path);
    if (!spot) continue;
    spot.commits += 1;
    spot.changed += change.added + change.deleted;
  }
  const changedAgain = [...byPath.values()].filter((spot) => spot.commits > 1);
  return changedAgain.sort((a, b) => b.commits * b.lines - a.commits * a.lines).slice(0, HOTSPOTS);
}

/** @param {Hotspot[]} spots @param {number} commits that were read @returns {Finding[]} */
export function hotspotFindings(spots, commits) {
  const often = Math.max(4, commits / 20);
  const hot = spots.filter((spot) => spot.commits >= often && spot.lines >= MIN_HOTSPOT_LINES);
  return hot.slice(0, FLAGGED_HOTSPOTS).map((spot) => {
    const message = `changed in ${spot.commits} of the last ${commits} commits and ${spot.lines} lines long: a candidate for splitting`;
    return finding('hotspot', 'medium', { path: spot.file }, 1, message, spot.commits * spot.lines);
  });
}

/**
 * Library files for which no test is named, and which no test imports. If there is no test at all, one finding.
 * @param {SourceFile[]} sources
 * @returns {Finding[]}
 */
export function missingTests(sources) {
  const tests = sources.filter((file) => file.isTest);
  const candidates = sources.filter(
    (file) => file.isLibrary && codeLines(file) >= MIN_UNTESTED_LINES && hasFunctions(file),
  );
  const largest = candidates.toSorted((a, b) => b.lines - a.lines)[0];
  if (!largest) return [];
  if (tests.length === 0) {
    const message = `no test file for any of ${sources.length} sources; this is the largest one`;
    return [finding('missing-test', 'medium', largest, 1, message)];
  }
  const covered = new Set(tests.flatMap(testedNames));
  const untested = candidates
    .filter((file) => !covered.has(moduleName(file.path)))
    .sort((a, b) => b.lines - a.lines);
  const more = untested.length - FLAGGED_FILES;
  return untested.slice(0, FLAGGED_FILES).map((file, index) => {
    const others =
      more > 0 && index === FLAGGED_FILES - 1 ? `; the same holds for ${counted(more, 'smaller file')}` : '';
    const message = `no test is named for it or imports it directly (${file.lines} lines)${others}`;
    return finding('missing-test', 'low', file, 1, message, file.lines);
  });
}

/**
 * Commits that changed library code and no test, if the repository has tests.
 * @param {Commit[]} commits @param {SourceFile[]} sources
 * @returns {Finding[]}
 */
export function untestedCommits(commits, sources) {
  if (!sources.some((file) => file.isTest)) return [];
  const byPath = new Map(sources.map((file) => [file.path, file]));
  const found = commits.flatMap((commit) => {
    const files = commit.files.filter((change) => byPath.get(change.path)?.isLibrary);
    const lines = files.reduce((total, change) => total + change.added + change.deleted, 0);
    if (lines < MIN_COMMIT_LINES || commit.files.some((change) => isTestPath(change.path))) return [];
    const most = files.reduce((a, b) => (a.added + a.deleted >= b.added + b.deleted ? a : b));
    const subject = shortened(commit.subject.replaceAll('`', "'"), 70);
    const message = `commit ${commit.hash} (${commit.date}, "${subject}") changed ${lines} lines of code in ${counted(files.length, 'file')} and no test`;
    return [finding('untested-commit', 'low', most, 1, message, lines)];
  });
  return found.sort((a, b) => b.weight - a.weight).slice(0, FLAGGED_COMMITS);
}

/** @param {SourceFile} file */
function codeLines(file) {
  return file.code.split('\n').filter((line) => line.trim() !== '').length;
}

/** @param {SourceFile} file */
function hasFunctions(file) {
  return file.blocks.some((block) => block.kind === 'function');
}

/** The names of the modules that a test file stands for: by its own name and by what it imports. @param {SourceFile} file */
function testedNames(file) {
  return [moduleName(file.path), ...Array.from(file.text.matchAll(IMPORT), (match) => moduleName(match[1]))];
}

/** `src/store/index.ts` is the module `store`, `lib/retry.unit.test.mjs` the module `retry`. @param {string} path */
function moduleName(path) {
  const file = basename(path.replace(/\/index(?:\.\w+)?$/, ''));
  return file.replace(/(?<=.)\..*$/, '').replace(/[_-](?:test|spec)$/, '');
}
