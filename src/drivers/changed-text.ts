/** What an agent changes in files, as text: each file with the lines that go and the lines that come. */
export interface ChangedText {
  readonly path: string;
  readonly oldText?: string | null | undefined;
  readonly newText: string;
}

export function changesText(changes: readonly ChangedText[]): string {
  const texts = changes.map(({ path, oldText, newText }) =>
    [`--- ${path}`, `+++ ${path}`, ...marked('-', oldText ?? ''), ...marked('+', newText)].join('\n'),
  );
  return texts.join('\n');
}

function marked(mark: string, text: string): string[] {
  return text === '' ? [] : text.split('\n').map((line) => mark + line);
}
