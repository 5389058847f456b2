import { describe, expect, it } from 'vitest';
import { Board, Directory, runAgent } from '../../support/process/example-agents.ts';

interface Review {
  readonly commits: number;
  readonly historyProblem: string | null;
  readonly leftOut: number;
  readonly findings: { rule: string; file: string; line: number; message: string }[];
}

/** Reviews a directory; the findings as `rule file:line`, in the order of the report. */
async function review(repo: Directory, params: object = {}) {
  await using board = await Board.open({ task: { params: { repo: repo.path, ...params } } });
  const { code, stderr } = await runAgent('code-review.mjs', board);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [report, data] = board.posted('outputs');
  const figures: Review = JSON.parse(data.content);
  const places = figures.findings.map(({ rule, file, line }) => `${rule} ${file}:${line}`);
  for (const { rule, file, line } of figures.findings) {
    expect(report.content).toMatch(new RegExp(`- \`${file}:${line}\` .*\\(${rule}\\)`));
  }
  return { ...figures, places, report: report.content as string };
}

const lines = (count: number, line = 'work();') => Array.from({ length: count }, () => line).join('\n');

describe('code-review.mjs on sources', () => {
  it('reports what is there, with file and line', async () => {
    await using repo = await Directory.create({
      'src/store.ts': [
        'export function save(): Promise<void> {',
        '  try {',
        '    return write();',
        '  } catch {}',
        '  return write().catch(() => {});',
        '}',
        '// FIXME: this leaks',
        '/* TODO(me) name it */',
        '  debugger;',
        'console.log("saved");',
        'console.log("again");',
        'export const load = async (id: string): Promise<{ a: number }> => {',
        lines(90),
        '};',
      ].join('\n'),
      'src/deep.js':
        'function f() { if (a) { for (;;) { while (b) { switch (c) { default:\n if (d) { g(); } } } } } }\n',
      'test/store.test.ts': 'import { save } from "../src/store.js";\nit.only("saves", () => { save(); });\n',
      'merge.mjs': '<<<<<<< HEAD\nconst a = 1;\n=======\nconst a = 2;\n>>>>>>> other\n',
      'run.sh': '#!/bin/sh\ncd /\necho "# TODO: no"  # XXX: yes\nls\n',
    });
    const { places } = await review(repo);
    expect(places.toSorted()).toEqual([
      'conflict-marker merge.mjs:1',
      'conflict-marker merge.mjs:5',
      'console src/store.ts:10',
      'debugger src/store.ts:9',
      'deep-nesting src/deep.js:2',
      'empty-catch src/store.ts:4',
      'empty-catch src/store.ts:5',
      'focused-test test/store.test.ts:2',
      'long-function src/store.ts:12',
      'no-errexit run.sh:1',
      'todo run.sh:3',
      'todo src/store.ts:7',
      'todo src/store.ts:8',
    ]);
  });

  it('distinguishes code from strings, comments, patterns and templates', async () => {
    await using repo = await Directory.create({
      'src/quiet.ts': [
        'const a = "catch {}";',
        "const b = 'console.log(1) // TODO: no';",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a source to review
        'const c = `debugger; ${b + "}"} // FIXME: no',
        '<<<<<<< HEAD',
        '`;',
        'const d = /[/"]\\/\\* TODO: no {{{/.test(a) ? 4 / 2 / 1 : 0;',
        '// console.log(a); if (x) { catch {}',
        '/*',
        'debugger',
        '*/',
        'try { use(a, b, c, d); } catch { /* the cache is optional */ }',
        '// Nobody waits for this one.',
        'later().catch(() => {});',
        'logger.console.log(a);',
      ].join('\n'),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a source to review
      'run.sh': "#!/bin/sh -eu\nsed 's/# TODO: no/x/' <<'END'\n# FIXME: no\nEND\necho ${a#x} $#\n",
    });
    expect((await review(repo)).places).toEqual([]);
  });

  it('skips generated files, and allows programs to print', async () => {
    const bad = 'console.log(1); // TODO: x\n';
    await using repo = await Directory.create({
      'node_modules/a/index.js': bad,
      'dist/out.js': bad,
      'test/fixtures/bad.js': bad,
      'src/made.ts': `// Code generated, DO NOT EDIT.\n${bad}`,
      'scripts/release.mjs': 'console.log("released");\n',
      'src/cli/main.ts': 'console.log("hello");\n',
    });
    expect((await review(repo)).places).toEqual([]);
  });

  it('names sources that no test imports or is named after', async () => {
    const source = `export function f() {\n${lines(45)}\n}\n`;
    await using repo = await Directory.create({
      'src/named.ts': source,
      'src/imported.ts': source,
      'src/forgotten.ts': source,
      'test/named.test.ts': 'import { f } from "../src/imported.js";\n',
    });
    expect((await review(repo)).places).toEqual(['missing-test src/forgotten.ts:1']);
  });

  it('shows the most important findings of each rule if there are too many', async () => {
    await using repo = await Directory.create({
      'src/a.ts': `${lines(30, '// TODO: one more')}\n\ntry { a(); } catch {}\n`,
      'run.sh': '#!/bin/sh\ncd /\nls\nls\n',
    });
    const { places, leftOut, report } = await review(repo, { max_findings: 3 });
    expect(places).toEqual(['empty-catch src/a.ts:32', 'no-errexit run.sh:1', 'todo src/a.ts:1']);
    expect(leftOut).toBe(29);
    expect(report).toContain('29 less important findings left out.');
  });
});

describe('code-review.mjs on history', () => {
  async function changedOften(): Promise<Directory> {
    const repo = await Directory.create();
    await repo.git('init', '--quiet', '--initial-branch=main');
    await repo.commit('Begin', {
      'src/core.ts': lines(200),
      'test/core.test.ts': 'import "../src/core.ts";\n',
    });
    for (let change = 1; change <= 4; change += 1) {
      await repo.commit(`Change ${change}`, {
        'src/core.ts': `${lines(200 + change)}\n`,
        'test/other.test.ts': `// ${change}`,
      });
    }
    await repo.commit('Rework without tests', { 'src/core.ts': `${lines(250, 'other();')}\n` });
    return repo;
  }

  it('finds the most changed files, and changes without a test', async () => {
    await using repo = await changedOften();
    const { places, report, commits, findings } = await review(repo);
    expect(commits).toBe(5);
    expect(places).toEqual(['hotspot src/core.ts:1', 'untested-commit src/core.ts:1']);
    expect(findings[0]?.message).toContain('changed in 5 of the last 5 commits and 250 lines long');
    expect(findings[1]?.message).toMatch(
      /commit [0-9a-f]{7,} \(.*"Rework without tests"\) changed 454 lines of code in 1 file /,
    );
    expect(report).toMatch(/\| `src\/core\.ts` \| 5 \| \d+ \| 250 \|/);
  });

  it('does not count the first commit of a shallow clone as a change', async () => {
    await using repo = await changedOften();
    await using clone = await Directory.create();
    await clone.git('clone', '--quiet', '--depth', '2', `file://${repo.path}`, '.');
    const { commits, places } = await review(clone);
    expect({ commits, places }).toEqual({ commits: 1, places: ['untested-commit src/core.ts:1'] });
  });

  it('reviews only the sources if there is no commit or no repository', async () => {
    await using repo = await Directory.create({ 'src/a.ts': '// TODO: a\n' });
    expect((await review(repo)).historyProblem).toMatch(/not a git repository/);
    await repo.git('init', '--quiet');
    const { historyProblem, places, report } = await review(repo);
    expect(historyProblem).toMatch(/does not have any commits yet/);
    expect(places).toEqual(['todo src/a.ts:1']);
    expect(report).toContain('and no history (');
  });

  it.each([
    ['no-such-directory', /no-such-directory is not a directory$/],
    ['.', /^params.repo: no JavaScript, TypeScript or shell sources in /],
  ])('fails if there is nothing to review: %s', async (name, reason) => {
    await using directory = await Directory.create({ 'notes.txt': 'TODO' });
    await using board = await Board.open({ task: { params: { repo: name } } });
    expect((await runAgent('code-review.mjs', board, { cwd: directory.path })).code).toBe(1);
    expect(board.posted('status').at(-1)).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(reason),
    });
  });
});
