/**
 * Text from agents and users, shown as what it is: Markdown, a diff, JSON, or plain. Nothing in it becomes HTML: every
 * element is made here, links go to http and https only, and control characters are visible.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { printable } from '../../../src/base/text/printable.ts';
import { CopyButton } from './copy-button.tsx';
import { type Inline, type ListItem, type MarkdownBlock, markdownOf } from './markdown.ts';
import { Block } from './safe-text.tsx';

type Form = 'markdown' | 'diff' | 'json' | 'plain';

/** A longer text is shown as it is. */
const MAX_RENDERED = 100_000;
const IS_DIFF = /^(?:diff --git |--- [^\n]{1,500}\n\+\+\+ |@@ -\d)/m;
const HAS_MARKDOWN =
  /^(?:#{1,6} |\s{0,20}[-*+] |\s{0,20}\d{1,3}[.)] |```|> |\|.{1,500}\|)|\*\*[^*\n]{1,200}\*\*|`[^`\n]{1,200}`|\]\(https?:/m;

function formOf(text: string): Form {
  if (text.length > MAX_RENDERED) return 'plain';
  if (/^\s{0,100}[[{]/.test(text)) {
    try {
      JSON.parse(text);
      return 'json';
    } catch {
      // It only looks like JSON.
    }
  }
  if (IS_DIFF.test(text)) return 'diff';
  return HAS_MARKDOWN.test(text) ? 'markdown' : 'plain';
}

export interface RichTextProps {
  readonly text: string;
  readonly label: string;
  /** Name of the file if it is downloaded; without it, it is not offered. */
  readonly fileName?: string;
}

export function RichText({ text, label, fileName }: RichTextProps) {
  const isSource = useSignal(false);
  const form = useMemo(() => formOf(text), [text]);
  const isRendered = form === 'markdown' || form === 'diff';
  return (
    <div class="rich">
      <div class="rich-bar">
        {isRendered && (
          <button
            type="button"
            class="quiet"
            aria-pressed={isSource.value}
            onClick={() => {
              isSource.value = !isSource.value;
            }}
          >
            {isSource.value ? 'Show rendered' : 'Show source'}
          </button>
        )}
        <CopyButton text={text} what={label.toLowerCase()} />
        {fileName !== undefined && (
          <button type="button" class="quiet" onClick={() => download(text, fileName)}>
            Download
          </button>
        )}
      </div>
      {isRendered && !isSource.value ? (
        <Rendered text={printable(text)} form={form} label={label} />
      ) : (
        <Block text={text} label={label} />
      )}
    </div>
  );
}

/** A part of a longer text that is read as a whole: without buttons and a frame of its own. */
export function Prose({ text, isDiff = false }: { readonly text: string; readonly isDiff?: boolean }) {
  const form = isDiff ? 'diff' : formOf(text);
  const shown = printable(text);
  if (form === 'diff') return <Diff text={shown} />;
  return form === 'markdown' ? (
    <div class="prose">
      <Markdown text={shown} />
    </div>
  ) : (
    <p class="as-written">{shown}</p>
  );
}

function download(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

function Rendered({
  text,
  form,
  label,
}: {
  readonly text: string;
  readonly form: Form;
  readonly label: string;
}) {
  const content = useMemo(
    () => (form === 'diff' ? <Diff text={text} /> : <Markdown text={text} />),
    [text, form],
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard.
    <section class={form === 'diff' ? 'block' : 'block prose'} tabIndex={0} aria-label={label}>
      {content}
    </section>
  );
}

function Diff({ text }: { readonly text: string }) {
  return (
    <pre>
      {text.split('\n').map((line, index) => (
        <span key={index} class="diff-line" data-change={changeOf(line)}>
          {`${line}\n`}
        </span>
      ))}
    </pre>
  );
}

function changeOf(line: string): 'added' | 'removed' | 'place' | undefined {
  if (/^(?:diff |index |@@|\+\+\+ |--- )/.test(line)) return 'place';
  if (line.startsWith('+')) return 'added';
  return line.startsWith('-') ? 'removed' : undefined;
}

function Markdown({ text }: { readonly text: string }) {
  return (
    <>
      {markdownOf(text).map((block, index) => (
        <MarkdownPart key={index} block={block} />
      ))}
    </>
  );
}

function MarkdownPart({ block }: { readonly block: MarkdownBlock }) {
  switch (block.kind) {
    case 'heading':
      // Not a heading of the page: the text has levels of its own.
      return (
        <p class="prose-heading" data-level={block.level}>
          <Inlines inlines={block.inlines} />
        </p>
      );
    case 'paragraph':
      return <p>{linesOf(block.lines)}</p>;
    case 'quote':
      return <blockquote>{linesOf(block.lines)}</blockquote>;
    case 'code':
      return <pre class="prose-code">{block.text}</pre>;
    case 'list':
      return <List items={block.items} isOrdered={block.isOrdered} />;
    case 'table':
      return <Table head={block.head} rows={block.rows} />;
    case 'rule':
      return <hr />;
  }
}

function linesOf(lines: readonly (readonly Inline[])[]): ComponentChildren {
  return lines.map((inlines, index) => (
    <span key={index}>
      {index > 0 && <br />}
      <Inlines inlines={inlines} />
    </span>
  ));
}

function List({ items, isOrdered }: { readonly items: readonly ListItem[]; readonly isOrdered: boolean }) {
  const rows = items.map(({ inlines, depth }, index) => (
    <li key={index} style={{ marginLeft: `${depth * 1.5}em` }}>
      <Inlines inlines={inlines} />
    </li>
  ));
  return isOrdered ? <ol>{rows}</ol> : <ul>{rows}</ul>;
}

type Cells = readonly (readonly Inline[])[];

function Table({ head, rows }: { readonly head: Cells; readonly rows: readonly Cells[] }) {
  return (
    <table>
      <thead>
        <tr>
          {head.map((cell, index) => (
            <th key={index}>
              <Inlines inlines={cell} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((cell, place) => (
              <td key={place}>
                <Inlines inlines={cell} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Inlines({ inlines }: { readonly inlines: readonly Inline[] }) {
  return <>{inlines.map((inline, index) => inlineElement(inline, index))}</>;
}

function inlineElement(inline: Inline, key: number): ComponentChildren {
  switch (inline.kind) {
    case 'text':
      return inline.text;
    case 'code':
      return <code key={key}>{inline.text}</code>;
    case 'strong':
      return <strong key={key}>{inline.text}</strong>;
    case 'emphasis':
      return <em key={key}>{inline.text}</em>;
    case 'link':
      return (
        <a key={key} href={inline.href} target="_blank" rel="noreferrer noopener">
          {inline.text}
        </a>
      );
  }
}
