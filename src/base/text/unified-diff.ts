/** Reads the diffs that git prints: by file, with the lines that were added and removed. */

export const FILE_CHANGES = ['added', 'modified', 'removed', 'renamed'] as const;

export interface FileDiff {
  readonly path: string;
  /** The path before a rename; null otherwise. */
  readonly oldPath: string | null;
  readonly change: (typeof FILE_CHANGES)[number];
  readonly insertions: number;
  readonly deletions: number;
  readonly isBinary: boolean;
  /** The hunks, each from its line with `@@` on; empty for a file without a text. */
  readonly patch: string;
}

export interface ParsedDiff {
  /** What is said about the diff, such as files that are not in it. */
  readonly notes: readonly string[];
  readonly files: readonly FileDiff[];
}

const HEADER = 'diff --git ';

/** @param text a diff of git, preceded by notes: lines that begin with `# ` */
export function parseDiff(text: string): ParsedDiff {
  const begin = text.startsWith(HEADER) ? 0 : text.indexOf(`\n${HEADER}`) + 1;
  const hasFiles = begin > 0 || text.startsWith(HEADER);
  const notes = (hasFiles ? text.slice(0, begin) : text)
    .split('\n')
    .flatMap((line) => (line.startsWith('# ') ? [line.slice(2)] : []));
  if (!hasFiles) return { notes, files: [] };
  // A line of a file begins with " ", "+", "-" or "\", so this can only be a header.
  const sections = text.slice(begin).split(/^(?=diff --git )/m);
  return { notes, files: sections.map(fileOf) };
}

function fileOf(section: string): FileDiff {
  const lines = section.split('\n');
  const firstHunk = lines.findIndex((line) => line.startsWith('@@'));
  const head = firstHunk < 0 ? lines : lines.slice(0, firstHunk);
  const hunks = firstHunk < 0 ? [] : lines.slice(firstHunk);
  const after = (prefix: string): string | undefined => {
    const line = head.find((each) => each.startsWith(prefix));
    return line === undefined ? undefined : unquoted(line.slice(prefix.length).replace(/\t$/, ''));
  };
  const renamedFrom = after('rename from ');
  const isAdded = head.some((line) => line.startsWith('new file mode '));
  const isRemoved = head.some((line) => line.startsWith('deleted file mode '));
  const path =
    after('rename to ') ??
    withoutSide(isRemoved ? after('--- ') : after('+++ ')) ??
    pathInHeader(lines[0] ?? '');
  const change =
    renamedFrom !== undefined ? 'renamed' : isAdded ? 'added' : isRemoved ? 'removed' : 'modified';
  return {
    path,
    oldPath: renamedFrom ?? null,
    change,
    insertions: hunks.filter((line) => line.startsWith('+')).length,
    deletions: hunks.filter((line) => line.startsWith('-')).length,
    isBinary: head.some((line) => line.startsWith('Binary files ')),
    patch: hunks.join('\n').replace(/\n$/, ''),
  };
}

/** Without `a/` or `b/`. */
function withoutSide(name: string | undefined): string | undefined {
  return name === undefined || name === '/dev/null' ? undefined : name.slice(2);
}

/** Both sides of a header have the same path, if there is no rename. */
function pathInHeader(line: string): string {
  const rest = line.slice(HEADER.length);
  if (rest.startsWith('"')) return withoutSide(unquoted(rest.slice(0, (rest.length - 1) / 2))) ?? rest;
  return rest.slice(2, (rest.length - 1) / 2);
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** A path as git quotes it: with escapes of C, and bytes in octal. */
function unquoted(name: string): string {
  if (!name.startsWith('"') || !name.endsWith('"')) return name;
  const bytes: number[] = [];
  const inner = name.slice(1, -1);
  const encoder = new TextEncoder();
  for (const [piece] of inner.matchAll(/\\[0-7]{3}|\\.|[^\\]+/gs)) {
    if (/^\\[0-7]{3}$/.test(piece)) bytes.push(Number.parseInt(piece.slice(1), 8) & 0xff);
    else
      bytes.push(
        ...encoder.encode(piece.startsWith('\\') ? (ESCAPES[piece[1] ?? ''] ?? piece.slice(1)) : piece),
      );
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}
