/** The part of a prompt that shows a reviewer what is to be judged. */
import type { OutputView, TaskView } from '../../../../projections/index.ts';
import type { PromptTexts } from './prompt-texts.ts';

/** Characters of all outputs together: a reviewer has to see the work, not the first lines of it. */
const OUTPUTS_MAX = 200_000;

/** Only what the reviewed attempt has brought, where it has brought anything. */
export function reviewedSection(task: TaskView, texts: PromptTexts): string {
  const { spec } = task;
  const lines = [`## ${texts.reviewed}: ${spec.title}`];
  if (spec.description !== '') lines.push('', spec.description);
  if (spec.action !== undefined) lines.push('', `${texts.action}: ${spec.action}`);
  if (spec.params !== undefined) lines.push('', `${texts.params}:`, JSON.stringify(spec.params, null, 2));
  if (spec.must_haves && spec.must_haves.length > 0) {
    lines.push('', `${texts.mustHaves}:`, ...spec.must_haves.map((each) => `- ${each}`));
  }
  for (const comment of task.comments) lines.push('', `- ${comment.author}: ${comment.body}`);
  const ofAttempt = task.outputs.filter(({ attempt }) => attempt === task.attempts);
  const outputs = ofAttempt.length > 0 ? ofAttempt : task.outputs;
  const room = Math.floor(OUTPUTS_MAX / Math.max(1, outputs.length));
  for (const output of outputs) lines.push('', ...outputLines(output, room, texts));
  return lines.join('\n');
}

function outputLines(output: OutputView, room: number, texts: PromptTexts): string[] {
  const { number, type, title, summary, content, content_file: file } = output;
  const heading = `### ${texts.output} ${number} (${type}): ${title}`;
  const lines = summary === undefined ? [heading] : [heading, summary];
  if (file) lines.push(`${texts.file}: ${file.path} (${file.size} bytes, SHA-256 ${file.sha256})`);
  if (content === undefined) return lines;
  return [...lines, content.length <= room ? content : `${content.slice(0, room)}\n${texts.cut}`];
}
