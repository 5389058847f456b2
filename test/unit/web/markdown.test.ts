import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Inline, inlinesOf, type MarkdownBlock, markdownOf } from '../../../web/parts/base/markdown.ts';

const text = (value: string): Inline => ({ kind: 'text', text: value });

describe('Markdown of agents', () => {
  it('has headings, paragraphs, lists, code, quotes, tables and rules', () => {
    const source = [
      '# Findings',
      '',
      'Two lines',
      'of text.',
      '- first',
      '  goes on',
      '  - below',
      '1. one',
      '```ts',
      '# no heading',
      '```',
      '> quoted',
      '| a | b |',
      '|---|---|',
      '| 1 | 2 |',
      '---',
    ].join('\n');
    expect(markdownOf(source).map(({ kind }) => kind)).toEqual([
      'heading',
      'paragraph',
      'list',
      'code',
      'quote',
      'table',
      'rule',
    ]);
    expect(markdownOf('```\n# no heading\n```')).toEqual([{ kind: 'code', text: '# no heading' }]);
  });

  it('has emphasis, code and links within a line', () => {
    expect(inlinesOf('a **b** *c* `d` [e](https://f.example/g) end')).toEqual([
      text('a '),
      { kind: 'strong', text: 'b' },
      text(' '),
      { kind: 'emphasis', text: 'c' },
      text(' '),
      { kind: 'code', text: 'd' },
      text(' '),
      { kind: 'link', text: 'e', href: 'https://f.example/g' },
      text(' end'),
    ]);
  });

  it('links to http and https only, and leaves HTML as text', () => {
    const hostile =
      '<img src=x onerror=alert(1)> [x](javascript:alert(1)) [y](data:text/html,z) <a href="//e">e</a>';
    expect(inlinesOf(hostile)).toEqual([text(hostile)]);
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (source) => {
        for (const { href } of linksIn(markdownOf(source))) expect(href).toMatch(/^https?:\/\//);
      }),
    );
  });

  it('loses no line of a text, whatever it is', () => {
    const line = fc.constantFrom(
      '',
      '- Xa',
      '  - Xb',
      '1. Xc',
      '> Xd',
      '```',
      '| Xe | Xf |',
      '|--|--|',
      '# Xg',
      'Xh',
      '---',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const found = JSON.stringify(markdownOf(lines.join('\n')));
        for (const letter of 'abcdefgh') {
          if (lines.some((each) => each.includes(`X${letter}`))) expect(found).toContain(`X${letter}`);
        }
      }),
    );
  });

  it.each([
    ['brackets', '['.repeat(100_000)],
    ['asterisks', '*a '.repeat(30_000)],
    ['backticks', '`'.repeat(100_000)],
    ['quotes', '> '.repeat(50_000)],
    ['bars', '|'.repeat(100_000)],
  ])('takes less than a second for 100,000 characters of %s', (_, hostile) => {
    const begin = performance.now();
    markdownOf(hostile);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });
});

function linksIn(blocks: readonly MarkdownBlock[]): { readonly href: string }[] {
  const found: { href: string }[] = [];
  JSON.stringify(blocks, (_, value: unknown) => {
    if (typeof value === 'object' && value !== null && 'href' in value && typeof value.href === 'string')
      found.push({ href: value.href });
    return value;
  });
  return found;
}
