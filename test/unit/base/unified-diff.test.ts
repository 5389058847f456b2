import { describe, expect, it } from 'vitest';
import { parseDiff } from '../../../src/base/text/unified-diff.ts';

const MODIFIED = `diff --git a/a.txt b/a.txt
index 1..2 100644
--- a/a.txt
+++ b/a.txt
@@ -1,3 +1,3 @@
 one
-two
+2
--- three
+++ four
`;
const RENAMED = `diff --git a/old name b/new name
similarity index 100%
rename from old name
rename to new name
`;
const BINARY = `diff --git a/image b/image
new file mode 100644
index 0..1
Binary files /dev/null and b/image differ
`;
const REMOVED = `diff --git "a/t\\303\\244b\\t" "b/t\\303\\244b\\t"
deleted file mode 100644
index 1..0
--- "a/t\\303\\244b\\t"
+++ /dev/null
@@ -1 +0,0 @@
-x
`;

describe('a diff', () => {
  it('is read by file, with the lines that were added and removed', () => {
    const { notes, files } = parseDiff(
      `# binary: "image" (4 bytes)\n${MODIFIED}${RENAMED}${BINARY}${REMOVED}`,
    );
    expect(notes).toEqual(['binary: "image" (4 bytes)']);
    expect(
      files.map(({ path, change, insertions, deletions }) => [path, change, insertions, deletions]),
    ).toEqual([
      ['a.txt', 'modified', 2, 2],
      ['new name', 'renamed', 0, 0],
      ['image', 'added', 0, 0],
      ['täb\t', 'removed', 0, 1],
    ]);
    expect(files[0]?.patch).toBe('@@ -1,3 +1,3 @@\n one\n-two\n+2\n--- three\n+++ four');
    expect(files[1]?.oldPath).toBe('old name');
    expect(files[2]?.isBinary).toBe(true);
  });

  it('is not misled by a file that holds a diff', () => {
    const patch = `diff --git a/p b/p\n--- a/p\n+++ b/p\n@@ -1 +1,2 @@\n-diff --git a/x b/x\n+diff --git a/y b/y\n++++ b/z\n`;
    expect(parseDiff(patch).files).toMatchObject([{ path: 'p', insertions: 2, deletions: 1 }]);
  });

  it('of nothing has notes alone', () => {
    expect(parseDiff('# left out: "huge" (too large)\n')).toEqual({
      notes: ['left out: "huge" (too large)'],
      files: [],
    });
    expect(parseDiff('')).toEqual({ notes: [], files: [] });
  });
});
