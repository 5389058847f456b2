/** Results as a model gets to read them, before its next turn. */
import { type BackgroundAnswer, PREVIEW_LENGTH } from '../../contracts/api/background.ts';

/** Empty where there is nothing to tell. */
export function backgroundBlock(results: readonly BackgroundAnswer[]): string {
  if (results.length === 0) return '';
  return `<background-results>\n${results.map(lineOf).join('\n')}\n</background-results>`;
}

function lineOf({ task_id, status, error, output, output_file }: BackgroundAnswer): string {
  const said = [error === null ? '' : `(${error}) `, output?.trim() ?? ''].join('');
  const preview = escaped(shortened(said === '' ? '(no output)' : said));
  const where = output_file === null ? '' : ` (output_file=${escaped(output_file)})`;
  return `[bg:${task_id}] ${status}: ${preview}${where}`;
}

function shortened(text: string): string {
  const characters = [...text.slice(0, 2 * PREVIEW_LENGTH)];
  return characters.length <= PREVIEW_LENGTH && characters.join('').length === text.length
    ? text
    : characters.slice(0, PREVIEW_LENGTH).join('');
}

/** What a command prints must not end the block, nor begin another one. */
function escaped(text: string): string {
  return text.replaceAll(/<(?=\s*\/?\s*background-results)/gi, '&lt;');
}
