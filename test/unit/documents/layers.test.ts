/** The check of `npm run lint` that keeps each room to what it may import. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../../support/process/build.ts';

function check(...args: string[]): Promise<{ readonly failed: boolean; readonly problems: string[] }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'scripts/layers.mjs'), ...args], (error, _stdout, stderr) =>
      resolve({ failed: error !== null, problems: stderr.split('\n').filter((line) => line !== '') }),
    );
  });
}

describe('the layer check', () => {
  let root: string;

  async function tree(files: Record<string, string>): Promise<void> {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(join(root, dirname(file)), { recursive: true });
      await writeFile(join(root, file), text);
    }
  }

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'layers-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('passes on this repository, and on its table in architecture.md', async () => {
    expect(await check()).toEqual({ failed: false, problems: [] });
  });

  it('fails on every kind of import that a room must not have, and says what to do', async () => {
    await tree({
      'src/journal/a.ts': "import { b } from '../app/b.ts';\nexport const a = b;\n",
      'src/journal/c.ts': "import type { B } from '../app/b.ts';\nexport type C = B;\n",
      'src/journal/d.ts': "export { b } from '../app/b.ts';\n",
      'src/journal/e.ts': "export const e = () => import('../app/b.ts');\n",
      'src/journal/f.ts': "export type F = import('../app/b.ts').B;\n",
      'web/pages/g.tsx': "import { b } from '../../src/app/b.ts';\nexport const g = <p>{b}</p>;\n",
    });
    const { failed, problems } = await check('--root', root);
    expect(failed).toBe(true);
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      ...['a', 'c', 'd', 'e', 'f'].map((name) => `src/journal/${name}.ts`),
      'web/pages/g.tsx',
    ]);
    expect(problems[0]).toBe(
      'src/journal/a.ts: imports ../app/b.ts, but journal must not import app: pass it in from a room above both, or move what both need to a room below (table in scripts/layers.mjs)',
    );
  });

  it('lets a room import the types of another only if the table says so', async () => {
    await tree({
      'web/a.ts': "import type { B } from '../src/operations/b.ts';\nexport type A = B;\n",
      'web/c.ts': "import { b } from '../src/operations/b.ts';\nexport const c = b;\n",
    });
    const { problems } = await check('--root', root);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(
      'web/c.ts: imports ../src/operations/b.ts, but web may import only types of operations',
    );
  });

  it('keeps Node.js out of pure rooms, and files out of no room', async () => {
    await tree({
      'machines/a.ts': "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n",
      'machines/b.ts':
        "import { c } from '../src/base/c.ts';\nimport { d } from '../src/base/d.ts';\nexport const b = [c, d];\n",
      'src/base/c.ts': "import { d } from './d.ts';\nexport const c = d;\n",
      'src/base/d.ts': 'export const d = 1;\n',
      'src/contracts/e.ts': "import { f } from '../base/f.ts';\nexport const e = f;\n",
      'src/base/f.ts': "import { g } from './g.ts';\nexport const f = g;\n",
      'src/base/g.ts': "import { hash } from 'node:crypto';\nexport const g = hash;\n",
      'src/elsewhere/b.ts': 'export const b = 1;\n',
      'src/journal/c.ts': "import { readFileSync } from 'node:fs';\nexport const c = readFileSync;\n",
    });
    const { problems } = await check('--root', root);
    expect(problems).toEqual([
      'machines/a.ts: imports node:fs, but machines is pure: have the caller pass in what it needs of Node.js',
      'src/contracts/e.ts: imports ../base/f.ts, but contracts is pure: have the caller pass in what it needs of Node.js',
      'src/elsewhere/b.ts: belongs to no room: move it, or add a room to scripts/layers.mjs',
    ]);
  });
});
