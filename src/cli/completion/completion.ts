/** What a shell is told. */
export interface Candidate {
  readonly text: string;
  /** What it is, in a few words; empty where there is nothing to say. */
  readonly about: string;
}

/** What the shell is to offer: these words, or files or directories, which it knows itself. */
export type Completion =
  | { readonly kind: 'words'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'directories' };

export function wordsOf(words: readonly string[]): Completion {
  return { kind: 'words', candidates: words.map((text) => ({ text, about: '' })) };
}
