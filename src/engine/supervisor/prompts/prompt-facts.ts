/** What a project's own prompt builder gets, and how one is asked. */
import type { TaskView } from '../../../../projections/index.ts';
import { type PromptFields, promptFieldsOf } from '../../../contracts/task-fields.ts';
import { buildPrompt, type PromptInput, type PromptSections, promptSections, textOfValue } from './prompt.ts';

/** The JSON that a prompt builder gets. */
export interface PromptFacts {
  readonly project: string;
  readonly task: TaskFacts;
  readonly attempt: number;
  readonly agent: string;
  readonly language: 'en' | 'zh';
  /** Base URL for reports; null if the agent cannot reach Signalbox. */
  readonly url: string | null;
  /** `$SIGNALBOX_TOKEN` if others can read the prompt. */
  readonly token: string;
  readonly traceparent: string;
  readonly earlier: readonly {
    readonly attempt: number;
    readonly agent: string;
    readonly outcome: string | null;
    readonly error: string | null;
    readonly stderr_tail: string | null;
  }[];
  /** The task that this one reviews; null if it is no review. */
  readonly reviewed: TaskFacts | null;
  /** The parts of the built-in prompt, then all of it. */
  readonly sections: PromptSections;
  readonly built_in: string;
}

export interface TaskFacts extends PromptFields {
  readonly id: string;
  /** Why it was sent back. */
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

/** Prompts that a project builds itself. */
export interface PromptBuilders {
  /**
   * null for the built-in prompt: at once if the project has no builder, later if its builder failed, which is logged.
   * Never rejects.
   */
  build(input: PromptInput): Promise<string | null> | null;
}

export const BUILT_IN_PROMPTS: PromptBuilders = { build: () => null };

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
  const fields = Object.entries(promptFieldsOf(task.spec)).map(([name, value]) => [name, textOfValue(value)]);
  return {
    ...Object.fromEntries(fields),
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
    ...promptFieldsOf(spec),
    reason,
    outputs: outputs.map(({ number, attempt, type, title, summary = null, content = null }) => ({
      number,
      attempt,
      type,
      title,
      summary,
      content,
    })),
    comments: comments.map(({ author, body }) => ({ author, body })),
  };
}
