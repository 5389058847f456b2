/** Links of the documentation, and the source files that it names. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../support/process/build.ts';

const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...['docs', 'examples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

const LINK = /\]\(([^)\s]+)\)/g;
const SOURCE =
  /`((?:src|machines|projections|test|scripts|deploy|examples|web)\/[\w./-]+\.(?:ts|tsx|mjs|py|yaml))`/g;

function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** The anchors of a page, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

function isBroken(page: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return false;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(ROOT, target))) return true;
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
}

const { files: PACKAGED }: { readonly files: readonly string[] } = JSON.parse(textOf('package.json'));

function isPackaged(path: string): boolean {
  return PACKAGED.some((file) => path === file || path.startsWith(`${file}/`));
}

describe.each(PAGES)('%s', (page) => {
  it('has no broken link', () => {
    const links = [...textOf(page).matchAll(LINK)].flatMap(([, link]) => link ?? []);
    expect(links.filter((link) => isBroken(page, link))).toEqual([]);
  });

  it('links only to files of the package', () => {
    const links = [...textOf(page).matchAll(LINK)].flatMap(([, link]) => link ?? []);
    const targets = links
      .filter((link) => !/^[a-z]+:|^#/.test(link))
      .map((link) => normalize(join(dirname(page), link.split('#')[0] ?? '')));
    expect(targets.filter((target) => !isPackaged(target))).toEqual([]);
  });

  it('names only source files that exist', () => {
    const files = [...textOf(page).matchAll(SOURCE)].flatMap(([, file]) => file ?? []);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});
