/** The invariants: named in the architecture page, stated in the sources, and cited by tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../support/process/build.ts';

function textOf(...folders: string[]): string {
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join(ROOT, folder, name)),
  );
  return files.map((file) => readFileSync(file, 'utf8')).join('\n');
}

const page = readFileSync(join(ROOT, 'docs/explanation/architecture.md'), 'utf8');
const listed = [...page.matchAll(/^\| `([a-z-]+\/[a-z-]+)` \|/gm)].flatMap(([, name]) => name ?? []);

it('the architecture page lists exactly the invariants that the sources state', () => {
  const stated = [...textOf('src', 'machines', 'projections').matchAll(/Invariant ([a-z-]+\/[a-z-]+):/g)];
  expect([...listed].sort()).toEqual([...new Set(stated.flatMap(([, name]) => name ?? []))].sort());
});

it('every invariant is cited by a test', () => {
  const tests = textOf('test');
  expect(listed.filter((name) => !tests.includes(name))).toEqual([]);
});
