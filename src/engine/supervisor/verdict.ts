/** What a reviewing agent decided, as it stands in an output of its review: `{"verdict":"approve","comment":"…"}`. */
import type { Output } from '../../contracts/tasks.ts';

export interface Verdict {
  readonly verdict: 'approve' | 'reject';
  readonly comment: string | undefined;
}

/** Characters of a comment that go on to the next attempt. */
const COMMENT_MAX = 100_000;
/** A rejection without a word still has to say something. */
const NO_COMMENT = 'the reviewer gave no reason';

/** The verdict of the newest output that has one. */
export function verdictIn(outputs: readonly Pick<Output, 'content'>[]): Verdict | null {
  for (const { content } of outputs.toReversed()) {
    const verdict = content === undefined ? null : verdictOf(content);
    if (verdict) return verdict;
  }
  return null;
}

/** The comment of a rejection, for whoever tries again. */
export function commentOf({ comment }: Verdict): string {
  return comment ?? NO_COMMENT;
}

/** The whole text, or its last line that is one: an agent may think aloud before. */
function verdictOf(text: string): Verdict | null {
  const whole = parsed(text);
  if (whole) return whole;
  for (const line of text.split('\n').toReversed()) {
    const verdict = parsed(line);
    if (verdict) return verdict;
  }
  return null;
}

function parsed(text: string): Verdict | null {
  const json = text
    .trim()
    .replace(/^`+(?:json)?|`+$/g, '')
    .trim();
  if (!json.startsWith('{') || !json.endsWith('}')) return null;
  try {
    const { verdict, comment } = JSON.parse(json) as { verdict?: unknown; comment?: unknown };
    if (verdict !== 'approve' && verdict !== 'reject') return null;
    const said =
      typeof comment === 'string' && comment.trim() !== '' ? comment.trim().slice(0, COMMENT_MAX) : undefined;
    return { verdict, comment: said };
  } catch {
    return null;
  }
}
