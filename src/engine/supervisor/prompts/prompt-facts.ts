/** What a prompt is made of, for those who make their own. */
import type { TaskView } from '../../../../projections/index.ts';
import { buildPrompt, type PromptInput, type PromptSections, promptSections } from './prompt.ts';

/** As a prompt builder gets it, in JSON. */
export interface PromptFacts {
  readonly project: string;
  readonly task: TaskFacts;
  readonly attempt: number;
  readonly agent: string;
  readonly language: 'en' | 'zh';
  /** Where to write back; null where the agent cannot. */
  readonly url: string | null;
  /** Or `$SIGNALBOX_TOKEN`, where others can read the prompt. */
  readonly token: string;
  readonly traceparent: string;
  readonly earlier: readonly {
    readonly attempt: number;
    readonly agent: string;
    readonly outcome: string | null;
    readonly error: string | null;
    readonly stderr_tail: string | null;
  }[];
  /** The task that this one is to judge; null but for a review. */
  readonly reviewed: TaskFacts | null;
  /** The parts of the built-in prompt, and the whole. */
  readonly sections: PromptSections;
  readonly built_in: string;
}

export interface TaskFacts {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly type: string | null;
  readonly action: string | null;
  readonly params: Readonly<Record<string, unknown>> | null;
  readonly must_haves: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Why it came back. */
  readonly reason: string | null;
  readonly outputs: readonly {
    readonly number: number;
    readonly attempt: number | null;
    readonly type: string;
    readonly title: string;
    readonly summary: string | null;
    readonly content: string | null;
  }[];
  readonly comments: readonly { readonly author: string; readonly body: string }[];
}

export function promptFacts(input: PromptInput): PromptFacts {
  const { task, attempt, agent, language, url, traceparent, reviewed } = input;
  return {
    project: task.project,
    task: taskFacts(task),
    attempt,
    agent,
    language,
    url,
    token: shownToken(input),
    traceparent,
    earlier: input.earlier.map((each) => ({
      attempt: each.attempt,
      agent: each.agent,
      outcome: each.outcome,
      error: each.error,
      stderr_tail: each.stderrTail,
    })),
    reviewed: reviewed === undefined ? null : taskFacts(reviewed),
    sections: promptSections(input),
    built_in: buildPrompt(input),
  };
}

/** What a template can name. */
export function templateValues(input: PromptInput): Readonly<Record<string, string>> {
  const { task, attempt, agent, url, traceparent } = input;
  const { spec } = task;
  return {
    title: spec.title,
    description: spec.description,
    action: spec.action ?? '',
    params: spec.params === undefined ? '' : JSON.stringify(spec.params, null, 2),
    must_haves: (spec.must_haves ?? []).map((each) => `- ${each}`).join('\n'),
    project: task.project,
    task_id: task.id,
    attempt: String(attempt),
    agent,
    url: url ?? '',
    token: shownToken(input),
    traceparent,
    ...promptSections(input),
    built_in: buildPrompt(input),
  };
}

function shownToken({ token, prompting }: PromptInput): string {
  return prompting.isPublic ? '$SIGNALBOX_TOKEN' : token;
}

function taskFacts({ id, spec, reason, outputs, comments }: TaskView): TaskFacts {
  return {
    id,
    title: spec.title,
    description: spec.description,
    type: spec.type ?? null,
    action: spec.action ?? null,
    params: spec.params ?? null,
    must_haves: spec.must_haves ?? [],
    labels: spec.labels ?? {},
    reason,
    outputs: outputs.map(({ number, attempt, type, title, summary, content }) => ({
      number,
      attempt,
      type,
      title,
      summary: summary ?? null,
      content: content ?? null,
    })),
    comments: comments.map(({ author, body }) => ({ author, body })),
  };
}
