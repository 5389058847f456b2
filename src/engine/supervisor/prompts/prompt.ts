/** The text that an agent gets: the task, the rules, how to write back, and what earlier attempts came to. */
import type { AttemptView, TaskView } from '../../../../projections/index.ts';
import type { Prompting } from '../../../drivers/driver.ts';
import { PROMPT_TEXTS, type PromptTexts } from './prompt-texts.ts';
import { reviewedSection } from './reviewed-section.ts';

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
  readonly traceparent: string;
  readonly prompting: Prompting;
  /** The task that this one is to judge. */
  readonly reviewed?: TaskView | undefined;
}

/** Longest text of an earlier output or error that is repeated; the rest can be read back by the call given. */
const EXCERPT_LENGTH = 2_000;

/** The parts of a prompt. A part of which there is nothing to say is empty. */
export interface PromptSections {
  readonly task: string;
  /** What is to be judged, with its outputs; empty but for a review. */
  readonly reviewed: string;
  readonly earlier: string;
  readonly so_far: string;
  readonly lifecycle: string;
  readonly write_back: string;
}

export function buildPrompt(input: PromptInput): string {
  const sections = Object.values(promptSections(input));
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

export function promptSections(input: PromptInput): PromptSections {
  const texts = PROMPT_TEXTS[input.language];
  const { reviewed, url } = input;
  return {
    task: taskSection(input, texts),
    reviewed: reviewed === undefined ? '' : reviewedSection(reviewed, texts),
    earlier: earlierSection(input, texts),
    so_far: soFarSection(input, texts),
    lifecycle:
      reviewed === undefined
        ? texts.lifecycle(input.task.spec.outputs === 'required')
        : texts.verdict(reviewed.id),
    write_back: url === null ? '' : writeBackSection(input, url, texts),
  };
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

function soFarSection({ task }: PromptInput, texts: PromptTexts): string {
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

function writeBackSection(input: PromptInput, url: string, texts: PromptTexts): string {
  const { task, agent, reviewed } = input;
  const call = callsOf(input, url);
  const own = (name: string, body: object): string => call(task.id, name, body);
  const status = (word: string): string =>
    own('status', word === 'review' ? { status: word, agent } : { status: word, agent, detail: '…' });
  const lines = [
    `# ${texts.working}`,
    status('working'),
    `# ${texts.heartbeat}`,
    own('heartbeat', { agent }),
  ];
  if (reviewed === undefined) {
    const output = { agent, type: 'document', title: '…', content: '…', summary: '…' };
    lines.push(`# ${texts.outputCall}`, own('outputs', output));
    lines.push(`# ${texts.comment}`, own('comments', { author: agent, body: '…' }));
    lines.push(`# ${texts.review}`, status('review'));
  } else {
    lines.push(`# ${texts.approve}`, call(reviewed.id, 'approve', { comment: '…' }));
    lines.push(`# ${texts.reject}`, call(reviewed.id, 'reject', { comment: '…' }));
  }
  lines.push(`# ${texts.failed}`, status('failed'), `# ${texts.blocked}`, status('blocked'));
  return [
    `## ${texts.writeBack}`,
    texts.writeBackIntro,
    '```sh',
    ...(input.prompting.passesEnvironment ? [] : exportLines(input, url, texts)),
    ...lines,
    `# ${texts.read}`,
    `curl -sS '${taskUrl(url, task.project, (reviewed ?? task).id)}?expand=all' -H ${authorization(input)}`,
    '```',
    ...(reviewed === undefined ? [texts.tools, '', texts.fallback] : [texts.verdictFallback]),
  ].join('\n');
}

/** For tools that do not see the environment of their agent. */
function exportLines(
  { task, attempt, agent, token, traceparent }: PromptInput,
  url: string,
  texts: PromptTexts,
): string[] {
  const variables = {
    SIGNALBOX_URL: url,
    SIGNALBOX_PROJECT: task.project,
    SIGNALBOX_TASK_ID: task.id,
    SIGNALBOX_ATTEMPT: attempt,
    SIGNALBOX_AGENT_ID: agent,
    SIGNALBOX_TOKEN: token,
    TRACEPARENT: traceparent,
  };
  return [
    `# ${texts.environment}`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`),
  ];
}

function callsOf(input: PromptInput, url: string): (task: string, path: string, body: object) => string {
  return (task, path, body) =>
    [
      `curl -sS -X POST '${taskUrl(url, input.task.project, task)}/${path}' \\`,
      `  -H ${authorization(input)} -H 'Content-Type: application/json' \\`,
      `  -d '${JSON.stringify(body)}'`,
    ].join('\n');
}

function taskUrl(url: string, project: string, task: string): string {
  return `${url}/api/projects/${project}/tasks/${task}`;
}

/** A prompt that others can read names the variable in place of the token. */
function authorization({ token, prompting }: PromptInput): string {
  return prompting.isPublic ? '"Authorization: Bearer $SIGNALBOX_TOKEN"' : `'Authorization: Bearer ${token}'`;
}

function excerpt(text: string): string {
  return text.length <= EXCERPT_LENGTH ? text : `${text.slice(0, EXCERPT_LENGTH)}…`;
}
