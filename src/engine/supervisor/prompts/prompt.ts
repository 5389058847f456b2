/** The text that an agent gets: the task, what earlier attempts produced, the rules, and how to report. */
import type {
  AttemptView,
  OutputView,
  QuestionView,
  SteeringMessage,
  TaskView,
} from '../../../../projections/index.ts';
import { cutText, lastText } from '../../../base/text/cut-text.ts';
import { PROMPT_LABELS, promptFieldsOf } from '../../../contracts/task-fields.ts';
import type { Prompting, RunWorkspace } from '../../../drivers/driver.ts';
import { type Answering, answeringSection, sampleAnswer } from './answer-section.ts';
import { PROMPT_TEXTS, type PromptTexts } from './prompt-texts.ts';

export interface PromptInput {
  readonly task: TaskView;
  /** The attempt that is about to start. */
  readonly attempt: number;
  readonly agent: string;
  readonly earlier: readonly AttemptView[];
  /** Base URL for reports; null if the agent cannot reach Signalbox. */
  readonly url: string | null;
  readonly token: string;
  readonly language: 'en' | 'zh';
  readonly traceparent: string;
  readonly prompting: Prompting;
  /** Questions of earlier attempts. */
  readonly questions?: readonly QuestionView[];
  /** Messages of users. */
  readonly messages?: readonly SteeringMessage[];
  /** The workspace that the agent works in. */
  readonly workspace?: RunWorkspace | undefined;
  /** The task that this one reviews. */
  readonly reviewed?: TaskView | undefined;
  /** The question that this task answers. */
  readonly answering?: Answering | undefined;
}

/** Longest excerpt of an earlier output or error. The agent can read the rest. */
const EXCERPT_LENGTH = 2_000;

/** The parts of a prompt. Each may be empty. */
export interface PromptSections {
  readonly task: string;
  /** What is reviewed, with its outputs; empty unless the task is a review. */
  readonly reviewed: string;
  /** The question to answer; empty unless the task answers one. */
  readonly asked: string;
  readonly earlier: string;
  readonly so_far: string;
  /** What earlier attempts asked, with the answers. */
  readonly answers: string;
  /** What users told the agent. */
  readonly messages: string;
  /** Where it works. */
  readonly workspace: string;
  readonly lifecycle: string;
  readonly write_back: string;
}

export function buildPrompt(input: PromptInput): string {
  const sections = Object.values(promptSections(input));
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

export function promptSections(input: PromptInput): PromptSections {
  const texts = PROMPT_TEXTS[input.language];
  const { reviewed, answering, url } = input;
  return {
    task: taskSection(input, texts),
    reviewed: reviewed === undefined ? '' : reviewedSection(reviewed, input.language, texts),
    asked: answering === undefined ? '' : answeringSection(answering, texts),
    earlier: earlierSection(input, texts),
    so_far: soFarSection(input, texts),
    answers: answersSection(input, texts),
    messages: messagesSection(input, texts),
    workspace: workspaceSection(input, texts),
    lifecycle: dutySection(input, texts),
    write_back: url === null ? '' : writeBackSection(input, url, texts),
  };
}

function dutySection({ task, reviewed, answering }: PromptInput, texts: PromptTexts): string {
  if (answering !== undefined) return texts.answerDuty;
  return reviewed === undefined
    ? texts.lifecycle(task.spec.outputs === 'required')
    : texts.verdict(reviewed.id);
}

function taskSection({ task, attempt, language }: PromptInput, texts: PromptTexts): string {
  return [
    `# ${texts.task}: ${task.spec.title}`,
    '',
    texts.identity(task.project, task.id, attempt, attemptsGranted(task)),
    ...contentLines(task, language),
  ].join('\n');
}

/** The description of a task, and its fields with a label. */
function contentLines({ spec }: TaskView, language: 'en' | 'zh'): string[] {
  const values: Readonly<Record<string, unknown>> = promptFieldsOf(spec);
  const lines = spec.description === '' ? [] : ['', spec.description];
  for (const { name, [language]: label } of PROMPT_LABELS) {
    const value = values[name];
    if (typeof value === 'string') lines.push('', `${label}: ${value}`);
    else if (isGiven(value)) lines.push('', `${label}:`, textOfValue(value));
  }
  return lines;
}

function isGiven(value: unknown): boolean {
  return value !== null && !(Array.isArray(value) && value.length === 0);
}

/** A list with a line for each item; an object as JSON; nothing for null. */
export function textOfValue(value: unknown): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map((each) => `- ${each}`).join('\n');
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/**
 * The number that the last attempt may have. Each redrive grants as many attempts again, and comes only when all earlier
 * ones are used up; an attempt that did not count is followed by one more.
 */
function attemptsGranted({ spec, attempts, attemptsUsed }: TaskView): number {
  return spec.max_attempts * Math.ceil(attemptsUsed / spec.max_attempts) + attempts - attemptsUsed;
}

function earlierSection({ earlier }: PromptInput, texts: PromptTexts): string {
  if (earlier.length === 0) return '';
  const lines = earlier.map((each) => {
    const end = [each.outcome ?? each.state, each.error].filter(Boolean).join(': ');
    const tail = each.stderrTail ? `\n  stderr: ${lastPart(each.stderrTail)}` : '';
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

/** Answers that a prompt repeats, the newest. A permission is not among them: the agent asks for it again. */
const MAX_ANSWERS = 20;

function answersSection({ questions = [] }: PromptInput, texts: PromptTexts): string {
  const repeated = questions.filter(({ spec }) => spec.kind !== 'permission').slice(-MAX_ANSWERS);
  const lines = repeated.flatMap(({ spec, answer }) => {
    if (answer === null) return [];
    const { action, option, content, comment } = answer;
    const chosen = spec.options?.find(({ id }) => id === option);
    const given = chosen ? `${chosen.id} (${chosen.label})` : content && JSON.stringify(content);
    const parts = [texts.answered[action], given, comment].filter((part) => part !== undefined);
    return [`- ${excerpt(spec.message)}`, `  ${excerpt(parts.join(': '))}`];
  });
  return lines.length === 0 ? '' : [`## ${texts.answers}`, ...lines].join('\n');
}

function workspaceSection({ workspace }: PromptInput, texts: PromptTexts): string {
  if (workspace === undefined) return '';
  const { path, branch, target, base } = workspace;
  const place = branch === null ? texts.reviewedCommit(base) : texts.ownBranch(branch, target ?? base);
  return [`## ${texts.workspace}`, `${path}`, place].join('\n');
}

function messagesSection({ messages = [] }: PromptInput, texts: PromptTexts): string {
  const lines = messages.map(({ by, text }) => `- ${by}: ${text}`);
  return lines.length === 0 ? '' : [`## ${texts.messages}`, ...lines].join('\n');
}

function writeBackSection(input: PromptInput, url: string, texts: PromptTexts): string {
  const { task, agent, reviewed, answering } = input;
  const call = callsOf(input, url);
  const own = (name: string, body: object): string => call(task.id, name, body);
  const report = (status: string): string =>
    own('status', status === 'review' ? { status, agent } : { status, agent, detail: '…' });
  const lines = [
    `# ${texts.working}`,
    report('working'),
    `# ${texts.heartbeat}`,
    own('heartbeat', { agent }),
  ];
  if (answering !== undefined) {
    const { question } = answering;
    const answer = `questions/${question.id}/answer`;
    lines.push(`# ${texts.answer}`, call(question.task, answer, sampleAnswer(question.spec)));
    lines.push(`# ${texts.decline}`, call(question.task, answer, { action: 'declined', comment: '…' }));
  } else if (reviewed === undefined) {
    const output = { agent, type: 'document', title: '…', content: '…', summary: '…' };
    lines.push(`# ${texts.outputCall}`, own('outputs', output));
    lines.push(`# ${texts.ask}`, own('questions', { message: '…', options: ['yes', 'no'] }));
    const answer = `${taskUrl(url, task.project, task.id)}/questions/ID?wait=60`;
    lines.push(`# ${texts.awaitAnswer}`, `curl -sS '${answer}' -H ${authorization(input)}`);
    lines.push(`# ${texts.comment}`, own('comments', { author: agent, body: '…' }));
    lines.push(`# ${texts.review}`, report('review'));
  } else {
    lines.push(`# ${texts.approve}`, call(reviewed.id, 'approve', { comment: '…' }));
    lines.push(`# ${texts.reject}`, call(reviewed.id, 'reject', { comment: '…' }));
  }
  lines.push(`# ${texts.failed}`, report('failed'), `# ${texts.blocked}`, report('blocked'));
  return [
    `## ${texts.writeBack}`,
    texts.writeBackIntro,
    '```sh',
    ...(input.prompting.passesEnvironment ? [] : exportLines(input, url, texts)),
    ...lines,
    `# ${texts.read}`,
    `curl -sS '${taskUrl(url, task.project, (reviewed ?? answering?.task ?? task).id)}?expand=all' -H ${authorization(input)}`,
    '```',
    ...fallbackLines(input, texts),
  ].join('\n');
}

function fallbackLines({ reviewed, answering }: PromptInput, texts: PromptTexts): string[] {
  if (answering) return [texts.answerFallback(JSON.stringify(sampleAnswer(answering.question.spec)))];
  return reviewed === undefined ? [texts.tools, '', texts.fallback] : [texts.verdictFallback];
}

/** For tools that do not get the environment of their agent. */
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
      // An agent may have chosen the id of an option.
      `  -d '${JSON.stringify(body).replaceAll("'", '\\u0027')}'`,
    ].join('\n');
}

function taskUrl(url: string, project: string, task: string): string {
  return `${url}/api/projects/${project}/tasks/${task}`;
}

/** A prompt that others can read names the variable instead of the token. */
function authorization({ token, prompting }: PromptInput): string {
  return prompting.isPublic ? '"Authorization: Bearer $SIGNALBOX_TOKEN"' : `'Authorization: Bearer ${token}'`;
}

/** The end of what a program printed says why it failed. */
function lastPart(text: string): string {
  return text.length <= EXCERPT_LENGTH ? text : `…${lastText(text, EXCERPT_LENGTH)}`;
}

function excerpt(text: string): string {
  return text.length <= EXCERPT_LENGTH ? text : `${cutText(text, EXCERPT_LENGTH)}…`;
}

/** Characters of all outputs together. A reviewer has to see the whole work. */
const MAX_REVIEWED = 200_000;

/** What a reviewer judges: only the outputs of the reviewed attempt, if it has any. */
function reviewedSection(task: TaskView, language: 'en' | 'zh', texts: PromptTexts): string {
  const lines = [`## ${texts.reviewed}: ${task.spec.title}`, ...contentLines(task, language)];
  for (const comment of task.comments) lines.push('', `- ${comment.author}: ${comment.body}`);
  const ofAttempt = task.outputs.filter(({ attempt }) => attempt === task.attempts);
  const outputs = ofAttempt.length > 0 ? ofAttempt : task.outputs;
  const room = Math.floor(MAX_REVIEWED / Math.max(1, outputs.length));
  for (const output of outputs) lines.push('', ...outputLines(output, room, texts));
  return lines.join('\n');
}

function outputLines(output: OutputView, room: number, texts: PromptTexts): string[] {
  const { number, type, title, summary, content, content_file: file } = output;
  const heading = `### ${texts.output} ${number} (${type}): ${title}`;
  const lines = summary === undefined ? [heading] : [heading, summary];
  if (file) lines.push(`${texts.file}: ${file.path} (${file.size} bytes, SHA-256 ${file.sha256})`);
  if (content === undefined) return lines;
  return [...lines, content.length <= room ? content : `${cutText(content, room)}\n${texts.cut}`];
}
