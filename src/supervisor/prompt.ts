/** The text that an agent gets: the task, the rules, how to write back, and what earlier attempts came to. */
import type { AttemptView, TaskView } from '../../projections/index.ts';
import { PROMPT_TEXTS, type PromptTexts } from './prompt-texts.ts';

export interface PromptInput {
  readonly task: TaskView;
  /** The attempt that is about to start. */
  readonly attempt: number;
  readonly agent: string;
  readonly earlier: readonly AttemptView[];
  /** Base URL for writing back; null where the agent cannot. */
  readonly url: string | null;
  readonly token: string;
  readonly language: 'en' | 'zh';
}

/** Longest text of an earlier output or error that is repeated; the rest can be read back by the call given. */
const EXCERPT_LENGTH = 2_000;

export function buildPrompt(input: PromptInput): string {
  const texts = PROMPT_TEXTS[input.language];
  const sections = [
    taskSection(input, texts),
    earlierSection(input, texts),
    reviewSection(input, texts),
    texts.lifecycle(input.task.spec.outputs === 'required'),
    input.url === null ? '' : writeBackSection(input, input.url, texts),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function taskSection({ task, attempt }: PromptInput, texts: PromptTexts): string {
  const { spec } = task;
  const lines = [
    `# ${texts.task}: ${spec.title}`,
    '',
    texts.identity(task.project, task.id, attempt, attemptsGranted(task, attempt)),
  ];
  if (spec.description !== '') lines.push('', spec.description);
  if (spec.action !== undefined) lines.push('', `${texts.action}: ${spec.action}`);
  if (spec.params !== undefined) lines.push('', `${texts.params}:`, JSON.stringify(spec.params, null, 2));
  if (spec.must_haves && spec.must_haves.length > 0) {
    lines.push('', `${texts.mustHaves}:`, ...spec.must_haves.map((each) => `- ${each}`));
  }
  return lines.join('\n');
}

/** A redrive grants as many again as the task had, and comes only when all of those are used up. */
function attemptsGranted({ spec }: TaskView, attempt: number): number {
  return spec.max_attempts * Math.ceil(attempt / spec.max_attempts);
}

function earlierSection({ earlier }: PromptInput, texts: PromptTexts): string {
  if (earlier.length === 0) return '';
  const lines = earlier.map((each) => {
    const end = [each.outcome ?? each.state, each.error].filter(Boolean).join(': ');
    const tail = each.stderrTail ? `\n  stderr: ${excerpt(each.stderrTail)}` : '';
    return `- ${texts.attempt} ${each.attempt} (${each.agent}): ${end}${tail}`;
  });
  return [`## ${texts.earlier}`, ...lines, '', texts.learn].join('\n');
}

function reviewSection({ task }: PromptInput, texts: PromptTexts): string {
  const lines: string[] = [];
  if (task.reason !== null) lines.push(`${texts.reason}: ${excerpt(task.reason)}`);
  for (const output of task.outputs) {
    lines.push(
      `- ${texts.output} ${output.number} (${output.type}) ${output.title}: ${excerpt(output.summary ?? output.content ?? '')}`,
    );
  }
  for (const comment of task.comments) lines.push(`- ${comment.author}: ${excerpt(comment.body)}`);
  return lines.length === 0 ? '' : [`## ${texts.soFar}`, ...lines].join('\n');
}

function writeBackSection({ task, agent, token }: PromptInput, url: string, texts: PromptTexts): string {
  const base = `${url}/api/projects/${task.project}/tasks/${task.id}`;
  const call = (path: string, body: object): string =>
    [
      `curl -sS -X POST '${base}/${path}' \\`,
      `  -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' \\`,
      `  -d '${JSON.stringify(body)}'`,
    ].join('\n');
  return [
    `## ${texts.writeBack}`,
    texts.writeBackIntro,
    '```sh',
    `# ${texts.working}`,
    call('status', { status: 'working', agent, detail: '…' }),
    `# ${texts.heartbeat}`,
    call('heartbeat', { agent }),
    `# ${texts.outputCall}`,
    call('outputs', { agent, type: 'document', title: '…', content: '…', summary: '…' }),
    `# ${texts.comment}`,
    call('comments', { author: agent, body: '…' }),
    `# ${texts.review}`,
    call('status', { status: 'review', agent }),
    `# ${texts.failed}`,
    call('status', { status: 'failed', agent, detail: '…' }),
    `# ${texts.blocked}`,
    call('status', { status: 'blocked', agent, detail: '…' }),
    `# ${texts.read}`,
    `curl -sS '${base}?expand=all' -H 'Authorization: Bearer ${token}'`,
    '```',
    texts.fallback,
  ].join('\n');
}

function excerpt(text: string): string {
  return text.length <= EXCERPT_LENGTH ? text : `${text.slice(0, EXCERPT_LENGTH)}…`;
}
