/**
 * Markdown of agents and users as data: what is common in what agents write (headings, lists, code, tables, quotes, emphasis,
 * links). HTML in it stays text. Every pattern has a limit, so a hostile text takes time in proportion to its length;
 * libraries take minutes or overflow the stack (docs/decisions/0011-own-markdown.md).
 */

export type Inline =
  | { readonly kind: 'text' | 'code' | 'strong' | 'emphasis'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string };

export type MarkdownBlock =
  | { readonly kind: 'heading'; readonly level: number; readonly inlines: readonly Inline[] }
  | { readonly kind: 'paragraph' | 'quote'; readonly lines: readonly (readonly Inline[])[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'list'; readonly isOrdered: boolean; readonly items: readonly ListItem[] }
  | {
      readonly kind: 'table';
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly kind: 'rule' };

export interface ListItem {
  readonly inlines: readonly Inline[];
  /** 0 for the outermost list. */
  readonly depth: number;
}

const FENCE = /^ {0,3}(`{3,20}|~{3,20})/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*)$/;
const RULE = /^ {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;
const ITEM = /^( {0,40})(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const TABLE_LINE = /^\s{0,10}\|.*\|\s*$/;
const TABLE_RULE = /^[\s|:-]{3,2000}$/;
/** Code, bold, emphasis, a link with a text, or an address. Addresses other than http and https stay text. */
const INLINE =
  /`([^`\n]{1,500})`|\*\*([^*\n]{1,500})\*\*|\*([^\s*][^*\n]{0,500})\*|\[([^\]\n]{1,300})\]\((https?:\/\/[^\s)]{1,1000})\)|(https?:\/\/[^\s<>"'`)\]]{1,1000})/g;

export function markdownOf(text: string): MarkdownBlock[] {
  const lines = text.replaceAll('\t', '    ').split('\n');
  const blocks: MarkdownBlock[] = [];
  for (let at = 0; at < lines.length; ) {
    const [block, next] = blockAt(lines, at);
    if (block !== null) blocks.push(block);
    at = next;
  }
  return blocks;
}

/** @returns the block that begins at a line, and the line after it */
function blockAt(lines: readonly string[], at: number): readonly [MarkdownBlock | null, number] {
  const line = lines[at] ?? '';
  if (line.trim() === '') return [null, at + 1];
  const fence = FENCE.exec(line);
  if (fence) return codeAt(lines, at, fence[1] ?? '```');
  const heading = HEADING.exec(line);
  if (heading)
    return [
      { kind: 'heading', level: (heading[1] ?? '#').length, inlines: inlinesOf(heading[2] ?? '') },
      at + 1,
    ];
  if (RULE.test(line)) return [{ kind: 'rule' }, at + 1];
  if (ITEM.test(line)) return listAt(lines, at);
  if (QUOTE.test(line)) {
    const end = endOf(lines, at, (each) => QUOTE.test(each));
    const quoted = lines.slice(at, end).map((each) => inlinesOf(QUOTE.exec(each)?.[1] ?? ''));
    return [{ kind: 'quote', lines: quoted }, end];
  }
  if (TABLE_LINE.test(line) && TABLE_RULE.test(lines[at + 1] ?? '')) {
    const end = endOf(lines, at + 2, (each) => TABLE_LINE.test(each));
    return [{ kind: 'table', head: cellsOf(line), rows: lines.slice(at + 2, end).map(cellsOf) }, end];
  }
  const end = endOf(lines, at + 1, (each) => each.trim() !== '' && !startsBlock(each));
  return [{ kind: 'paragraph', lines: lines.slice(at, end).map(inlinesOf) }, end];
}

function startsBlock(line: string): boolean {
  return [FENCE, HEADING, RULE, ITEM, QUOTE, TABLE_LINE].some((pattern) => pattern.test(line));
}

function endOf(lines: readonly string[], from: number, belongs: (line: string) => boolean): number {
  let end = from;
  while (end < lines.length && belongs(lines[end] ?? '')) end++;
  return end;
}

function codeAt(lines: readonly string[], at: number, fence: string): readonly [MarkdownBlock, number] {
  const end = endOf(lines, at + 1, (line) => !line.trim().startsWith(fence));
  return [{ kind: 'code', text: lines.slice(at + 1, end).join('\n') }, end + 1];
}

function listAt(lines: readonly string[], at: number): readonly [MarkdownBlock, number] {
  const isOrdered = ITEM.exec(lines[at] ?? '')?.[2] !== undefined;
  const items: ListItem[] = [];
  let end = at;
  for (; end < lines.length; end++) {
    const line = lines[end] ?? '';
    const item = ITEM.exec(line);
    const last = items.at(-1);
    if (item) {
      const depth = Math.min(4, Math.floor((item[1] ?? '').length / 2));
      items.push({ inlines: inlinesOf(item[3] ?? ''), depth });
    } else if (last && /^\s{2,}\S/.test(line)) {
      // An indented line goes on with its item.
      items[items.length - 1] = { ...last, inlines: [...last.inlines, ...inlinesOf(` ${line.trim()}`)] };
    } else break;
  }
  return [{ kind: 'list', isOrdered, items }, end];
}

function cellsOf(line: string): (readonly Inline[])[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split('|').map((cell) => inlinesOf(cell.trim()));
}

export function inlinesOf(text: string): Inline[] {
  const inlines: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) inlines.push({ kind: 'text', text: text.slice(from, match.index) });
    inlines.push(inlineOf(match));
    from = match.index + match[0].length;
  }
  if (from < text.length) inlines.push({ kind: 'text', text: text.slice(from) });
  return inlines;
}

function inlineOf([whole, code, strong, emphasis, label, target, address]: RegExpExecArray): Inline {
  if (code !== undefined) return { kind: 'code', text: code };
  if (strong !== undefined) return { kind: 'strong', text: strong };
  if (emphasis !== undefined) return { kind: 'emphasis', text: emphasis };
  if (label !== undefined && target !== undefined) return { kind: 'link', text: label, href: target };
  return { kind: 'link', text: address ?? whole, href: address ?? whole };
}

/** The text without its markup, on one line: for a note of a few words. */
export function plainText(source: string): string {
  return markdownOf(source)
    .flatMap((block) => textsIn(block))
    .join(' – ');
}

const textOf = (inlines: readonly Inline[]): string => inlines.map(({ text }) => text).join('');

function textsIn(block: MarkdownBlock): string[] {
  switch (block.kind) {
    case 'heading':
      return [textOf(block.inlines)];
    case 'paragraph':
    case 'quote':
      return [block.lines.map(textOf).join(' ')];
    case 'code':
      return [block.text];
    case 'list':
      return block.items.map(({ inlines }) => textOf(inlines));
    case 'table':
      return [block.head, ...block.rows].map((row) => row.map(textOf).join(', '));
    case 'rule':
      return [];
  }
}
