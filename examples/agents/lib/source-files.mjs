import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findBlocks } from './blocks.mjs';
import { git } from './git.mjs';
import { splitScript, splitShell } from './split-source.mjs';

/**
 * @typedef {import('./split-source.mjs').SplitSource & { path: string, language: 'script' | 'shell', text: string,
 *   lines: number, isTest: boolean, isLibrary: boolean, blocks: import('./blocks.mjs').Block[] }} SourceFile
 */

const SCRIPT = /\.(?:[cm]?[jt]s|[jt]sx)$/;
const SHELL = /\.(?:sh|bash)$/;
/** Generated or vendored files, and files that are wrong on purpose. */
const SKIPPED =
  /(?:^|\/)(?:node_modules|\.git|dist|build|out|coverage|vendor|third_party|(?:__)?(?:fixtures?|snapshots)(?:__)?|testdata)\/|\.min\.\w+$|\.d\.[cm]?ts$/;
const GENERATED = /@generated|\bDO NOT EDIT\b/i;
const TEST = /(?:^|\/)(?:tests?(?:[_-]\w+)?|__tests__|specs?|e2e)\/|[._-](?:test|spec)(?:-d)?\.[^/]+$/;
/** Programs, samples and settings may print, and need no test. */
const PROGRAM =
  /(?:^|\/)(?:bin|cli|cmd|[cC]ommand-?[lL]ine|scripts?|tools?|bench(?:marks?)?|examples?|samples?|demos?|docs|website|\.[^/]+)\/|(?:^|\/)(?:cli|examples?)\.\w+$|[.-]config\.\w+$/;
const MAX_FILES = 5_000;
const MAX_BYTES = 1_000_000;

/**
 * The hand-written JavaScript, TypeScript and shell sources below a directory.
 * @param {string} repo
 * @returns {Promise<{ sources: SourceFile[], passedOver: number }>} `passedOver`: generated, too large or not readable
 */
export async function readSources(repo) {
  const paths = (await listFiles(repo)).filter(
    (path) => (SCRIPT.test(path) || SHELL.test(path)) && !SKIPPED.test(path),
  );
  /** @type {SourceFile[]} */
  const sources = [];
  for (const path of paths.sort().slice(0, MAX_FILES)) {
    const text = await readText(join(repo, path));
    if (text !== null && !isGenerated(text)) sources.push(describe(path, text));
  }
  return { sources, passedOver: paths.length - sources.length };
}

/** @param {string} path */
export function isTestPath(path) {
  return TEST.test(path);
}

/** @param {string} path @param {string} text @returns {SourceFile} */
function describe(path, text) {
  const language = SCRIPT.test(path) ? 'script' : 'shell';
  const split = language === 'script' ? splitScript(text) : splitShell(text);
  const isTest = isTestPath(path);
  return {
    path,
    language,
    text,
    ...split,
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    isTest,
    isLibrary: language === 'script' && !isTest && !PROGRAM.test(path) && !text.startsWith('#!'),
    blocks: language === 'script' ? findBlocks(split.code) : [],
  };
}

/** @param {string} repo @returns {Promise<string[]>} paths below `repo`, as git knows them, or as they lie on the disk */
async function listFiles(repo) {
  const known = await git(repo, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').catch(
    () => '',
  );
  const paths = [...new Set(known.split('\0').filter(Boolean))];
  return paths.length > 0 ? paths : walk(repo, '');
}

/** @param {string} root @param {string} below @returns {Promise<string[]>} */
async function walk(root, below) {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  const paths = entries.map(async (entry) => {
    const path = below + entry.name;
    if (entry.isDirectory()) return SKIPPED.test(`${path}/`) ? [] : walk(root, `${path}/`);
    return entry.isFile() ? [path] : [];
  });
  return (await Promise.all(paths)).flat();
}

/** @param {string} path @returns {Promise<string | null>} */
async function readText(path) {
  const found = await lstat(path).catch(() => null);
  if (!found?.isFile() || found.size > MAX_BYTES) return null;
  return readFile(path, 'utf8').catch(() => null);
}

/** @param {string} text */
function isGenerated(text) {
  const head = text.slice(0, 1_000);
  return GENERATED.test(head) || (text.length > 5_000 && text.length / text.split('\n').length > 300);
}
