/** Rules that no compiler checks: the size of files, functions, folders and of the whole, and words to avoid. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'vite';
import { describe, expect, it } from 'vitest';

const MAX_FILE_LINES = 300;
const MAX_FUNCTION_LINES = 80;
const MAX_FILES_PER_FOLDER = 20;
const MAX_VAGUE_WORDS = 20;

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROGRAM = ['src', 'machines', 'projections'];
const FOLDERS = [...PROGRAM, 'web', 'test'];
const CODE = /\.(ts|tsx|mjs)$/;
const THIS_FILE = 'test/unit/documents/house-rules.test.ts';

/**
 * Files that may open others directly, because no agent chooses what is there: arguments of the command line, the
 * configuration, the program's own files, /proc, cgroups, and directories that were made a moment before.
 */
const OPENS_FILES = [
  'src/base/regular-files.ts',
  'src/cli/',
  'src/config/',
  'src/version.ts',
  'src/worker/credentials.ts',
  'src/engine/replay/file-source.ts',
  'src/features/audit/bundle-source.ts',
  'src/http/pages/dashboard.ts',
  'src/process/containment/cgroup/cgroup-files.ts',
  'src/process/host/linux-processes.ts',
  'src/process/preflight.ts',
  'src/process/channel/input-fifo.ts',
  'src/daemon/embedded/apt.ts',
  'src/daemon/embedded/obtain.ts',
  'src/daemon/embedded/program.ts',
];

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const paths = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length)),
).filter((path) => !path.startsWith('test/fixtures/') && !path.startsWith('test/histories/'));

const files: readonly SourceFile[] = paths
  .filter((path) => CODE.test(path) && path !== THIS_FILE)
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

const linesOf = (text: string): number => text.split('\n').length - 1;

/** Functions with a body of statements, as `path:line`. The callback of a `describe` is a list of tests, and not counted. */
function longFunctions({ path, text }: SourceFile): string[] {
  if (linesOf(text) <= MAX_FUNCTION_LINES) return [];
  const found: string[] = [];
  const suites = new Set<number>();
  const look = ({ start, end }: { readonly start: number; readonly end: number }): void => {
    const lines = linesOf(text.slice(start, end)) + 1;
    const isSuite = suites.has(start);
    if (lines > MAX_FUNCTION_LINES && !isSuite)
      found.push(`${path}:${linesOf(text.slice(0, start)) + 1} has ${lines} lines`);
  };
  new Visitor({
    CallExpression: ({ callee, arguments: given }) => {
      if (!/^describe\b/.test(text.slice(callee.start, callee.end))) return;
      for (const { start } of given) suites.add(start);
    },
    FunctionDeclaration: look,
    FunctionExpression: look,
    ArrowFunctionExpression: look,
  }).visit(parseSync(path, text).program);
  return found;
}

describe('the rules of the house', () => {
  it(`has no file above ${MAX_FILE_LINES} lines without "Long because …" in its head`, () => {
    const long = files.filter(({ text }) => linesOf(text) > MAX_FILE_LINES);
    const unexplained = long.filter(({ text }) => !/^\/\*\*[^/]*Long because/.test(text));
    expect(unexplained.map(({ path, text }) => `${path} has ${linesOf(text)} lines`)).toEqual([]);
  });

  it(`has no function above ${MAX_FUNCTION_LINES} lines`, () => {
    expect(files.flatMap(longFunctions)).toEqual([]);
  });

  it(`has no folder above ${MAX_FILES_PER_FOLDER} files`, () => {
    const counts = new Map<string, number>();
    for (const path of paths) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    const full = [...counts].filter(([, count]) => count > MAX_FILES_PER_FOLDER);
    expect(full.map(([folder, count]) => `${folder} has ${count} files`)).toEqual([]);
  });

  it('opens files only by src/base/regular-files.ts, but for what the operator names on the command line and the system itself', () => {
    const opening =
      /(?<![.\w#] *)\b(?:open|readFile|writeFile|createReadStream|createWriteStream|copyFile|appendFile|truncate)(?:Sync)?\((?!\w+: |new URL|join\(CODE_ROOT|[^;]*'wx')/;
    const imported = /import \{[^}]*\} from 'node:fs(?:\/promises)?'/;
    const found = files.filter(
      ({ path, text }) =>
        path.startsWith('src/') &&
        !OPENS_FILES.some((each) => path.startsWith(each)) &&
        imported.test(text) &&
        opening.test(text.replaceAll(/^\s*(?:\*|\/\/).*$/gm, '')),
    );
    expect(found.map(({ path }) => path)).toEqual([]);
  });

  it('names a task by taskKey and an attempt by attemptKey, not by a text made on the spot', () => {
    const spelled = /\$\{[\w.]*\bproject(?:Id)?\}\/\$\{(?:[\w.]*\.)?(?:task|id)\b/i;
    const found = files.filter(({ path, text }) => path !== 'src/contracts/ids.ts' && spelled.test(text));
    expect(found.map(({ path }) => path)).toEqual([]);
  });

  it(`has fewer than ${MAX_VAGUE_WORDS} vague words: whoever, nobody, somebody`, () => {
    const found = files.flatMap(({ path, text }) =>
      [...text.matchAll(/\b(?:whoever|nobody|somebody)\b/gi)].map(([word]) => `${path}: ${word}`),
    );
    expect(found.length, found.join('\n')).toBeLessThan(MAX_VAGUE_WORDS);
  });
});
