/** Questions of agents with their answers, and the rules about permissions that answers have recorded. */
import { type EventOf, REDACTED, type StoredRecord } from '../src/contracts/events/events.ts';
import { type AttemptRef, type TaskRef, taskKey } from '../src/contracts/ids.ts';
import {
  type AnswerSpec,
  type QuestionSpec,
  type RecordedRule,
  redactedQuestion,
} from '../src/contracts/questions.ts';
import { type PastProjection, personOf } from './projection.ts';

export interface QuestionAnswer extends AnswerSpec {
  /** Who answered: a person, `agent:<id>`, or `supervisor`. */
  readonly by: string;
  readonly time: number;
  /** Of the event. */
  readonly sequence: number;
  /** The rule that it recorded. */
  readonly rule: string | null;
}

export interface QuestionView extends AttemptRef {
  readonly agent: string;
  /** Unique within the task. */
  readonly id: string;
  readonly spec: QuestionSpec;
  /** Epoch milliseconds. */
  readonly askedAt: number;
  /** Of the event that asked it. */
  readonly sequence: number;
  /** null while it is open. */
  readonly answer: QuestionAnswer | null;
  /** Whether its attempt was ended: its answer starts the next one. */
  readonly parked: boolean;
}

export interface RuleView extends RecordedRule, TaskRef {
  readonly by: string;
  readonly time: number;
  /** Of the event that recorded it. */
  readonly sequence: number;
}

export interface Questions {
  /** By task key, in the order in which they were asked. */
  readonly byTask: Map<string, readonly QuestionView[]>;
  /** The keys of tasks with open questions, in the order of the oldest one. */
  readonly open: Set<string>;
  /** By id, in the order in which they were recorded. */
  readonly rules: Map<string, RuleView>;
}

const NOTHING: readonly never[] = [];

export const questions: PastProjection<Questions> = {
  name: 'questions',
  version: 2,
  initial: () => ({ byTask: new Map(), open: new Set(), rules: new Map() }),
  evolve(state, record) {
    const { event } = record;
    switch (event.type) {
      case 'attempt.question_asked':
        return ask(state, event, record);
      case 'attempt.question_answered':
        return answer(state, event, record);
      case 'attempt.ended':
        if (event.outcome === 'parked') replace(state, event, isOpen, (each) => ({ ...each, parked: true }));
        return;
      // These are final: nothing asks any more.
      case 'task.approved':
      case 'task.cancelled':
        return forgetRules(state, taskKey(event));
      case 'agent.permission_revoked':
        state.rules.delete(event.rule);
        return;
      case 'task.redacted':
        return redact(state, event);
      default:
        return;
    }
  },
  forget(state, task) {
    forgetRules(state, task);
    state.byTask.delete(task);
    state.open.delete(task);
  },
  toJSON: ({ byTask, rules }) => ({ byTask: [...byTask], rules: [...rules.values()] }),
  restore: (json) => {
    const { byTask, rules } = json as QuestionsJson;
    return {
      byTask: new Map(byTask),
      open: openOf(byTask),
      rules: new Map(rules.map((rule) => [rule.id, rule])),
    };
  },
  pieceOf: ({ byTask, rules }, task) => {
    const asked = byTask.get(task);
    return asked ? ['questions', task, [asked, rulesOf(rules, asked)]] : null;
  },
  *pieces({ byTask, rules }, isTask) {
    for (const [task, asked] of byTask) if (!isTask(task)) yield ['questions', task, asked];
    for (const [id, rule] of rules) if (rule.scope === 'agent') yield ['rule', id, rule];
  },
  copy: ({ byTask, open, rules }) => ({
    byTask: new Map(byTask),
    open: new Set(open),
    rules: new Map(rules),
  }),
};

/** Those that hold for the task of these questions. */
function rulesOf(rules: Questions['rules'], asked: readonly QuestionView[]): RuleView[] {
  return asked.flatMap(({ answer }) => {
    const rule = answer?.rule ? rules.get(answer.rule) : undefined;
    return rule?.scope === 'task' ? [rule] : [];
  });
}

interface QuestionsJson {
  readonly byTask: readonly (readonly [string, readonly QuestionView[]])[];
  readonly rules: readonly RuleView[];
}

/** The rules that hold for one task end with it. */
function forgetRules({ byTask, rules }: Questions, task: string): void {
  for (const { id } of rulesOf(rules, byTask.get(task) ?? NOTHING)) rules.delete(id);
}

/** Every open question, the oldest first. */
export function openQuestions({ byTask, open }: Questions): QuestionView[] {
  const found: QuestionView[] = [];
  for (const key of open) for (const each of byTask.get(key) ?? NOTHING) if (isOpen(each)) found.push(each);
  return found.sort((a, b) => a.sequence - b.sequence);
}

/** The questions of a task, the first one first. */
export function questionsOf({ byTask }: Questions, ref: TaskRef): readonly QuestionView[] {
  return byTask.get(taskKey(ref)) ?? NOTHING;
}

export function questionOf(state: Questions, ref: TaskRef, id: string): QuestionView | undefined {
  return questionsOf(state, ref).find((each) => each.id === id);
}

export const isOpen = ({ answer }: QuestionView): boolean => answer === null;

function openOf(byTask: QuestionsJson['byTask']): Set<string> {
  return new Set(byTask.filter(([, asked]) => asked.some(isOpen)).map(([key]) => key));
}

function ask(
  state: Questions,
  { project, task, attempt, agent, question, spec }: EventOf<'attempt.question_asked'>,
  { time, sequence }: StoredRecord,
): void {
  const key = taskKey({ project, task });
  const view: QuestionView = {
    project,
    task,
    attempt,
    agent,
    id: question,
    spec,
    askedAt: time,
    sequence,
    answer: null,
    parked: false,
  };
  state.byTask.set(key, [...(state.byTask.get(key) ?? NOTHING), view]);
  state.open.add(key);
}

function answer(
  state: Questions,
  event: EventOf<'attempt.question_answered'>,
  { actor, time, sequence }: StoredRecord,
): void {
  const { project, task, question, action, option, content, comment, rule } = event;
  const by = personOf(actor);
  const given: QuestionAnswer = {
    action,
    option,
    content,
    comment,
    by,
    time,
    sequence,
    rule: rule?.id ?? null,
  };
  replace(
    state,
    event,
    ({ id }) => id === question,
    (each) => ({ ...each, answer: given }),
  );
  if (rule) state.rules.set(rule.id, { ...rule, project, task, by, time, sequence });
}

function redact(state: Questions, event: EventOf<'task.redacted'>): void {
  const { sequence } = event;
  replace(
    state,
    event,
    (each) => each.sequence === sequence,
    (each) => ({ ...each, spec: redactedQuestion(each.spec) }),
  );
  replace(
    state,
    event,
    (each) => each.answer?.sequence === sequence,
    (each) => ({ ...each, answer: each.answer && redactedAnswer(each.answer) }),
  );
  for (const [id, rule] of state.rules) if (rule.sequence === sequence) state.rules.delete(id);
}

function redactedAnswer({ content, comment, ...answer }: QuestionAnswer): QuestionAnswer {
  return { ...answer, comment: comment === undefined ? undefined : REDACTED, rule: null };
}

function replace(
  state: Questions,
  ref: TaskRef,
  isMeant: (question: QuestionView) => boolean,
  change: (question: QuestionView) => QuestionView,
): void {
  const key = taskKey(ref);
  const asked = state.byTask.get(key);
  if (!asked?.some(isMeant)) return;
  const next = asked.map((each) => (isMeant(each) ? change(each) : each));
  state.byTask.set(key, next);
  if (!next.some(isOpen)) state.open.delete(key);
}

/** The rules that hold for an agent on a task, the newest first. */
export function rulesFor({ rules }: Questions, agent: string, ref: TaskRef): RuleView[] {
  return [...rules.values()]
    .filter((rule) => rule.agent === agent)
    .filter(({ scope, project, task }) => scope === 'agent' || (project === ref.project && task === ref.task))
    .reverse();
}
