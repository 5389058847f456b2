/** Questions, rules and messages as answers of operations. */
import type { QuestionAnswer, QuestionView, RuleView, SteeringMessage } from '../../../projections/index.ts';
import type { GivenAnswerJson, QuestionJson, RuleAnswer } from '../../contracts/api/questions.ts';
import type { SteeringAnswer } from '../../contracts/api/steering.ts';
import { taskKey } from '../../contracts/ids.ts';
import { timeOf } from '../tasks/task-json.ts';

export function questionJson({ spec, answer, ...view }: QuestionView): QuestionJson {
  const { project, task, attempt, agent, id, parked } = view;
  return {
    project,
    task,
    attempt,
    agent,
    id,
    kind: spec.kind,
    message: spec.message,
    about: spec.about ?? null,
    options: spec.options ?? [],
    schema: spec.schema ?? null,
    url: spec.url ?? null,
    asked_at: timeOf(view.askedAt),
    expires_at: timeOf(spec.expires_at_ms ?? null),
    default: spec.default
      ? { option: spec.default.option ?? null, content: spec.default.content ?? null }
      : null,
    parked,
    answer: answer && answerJson(answer),
  };
}

export function answerJson(answer: QuestionAnswer): GivenAnswerJson {
  const { action, option = null, content = null, comment = null, by, time, rule } = answer;
  return { action, option, content, comment, by, time: timeOf(time), rule };
}

export function ruleJson(rule: RuleView): RuleAnswer {
  const { id, scope, tool, input = null, decision, by, time } = rule;
  const task = scope === 'task' ? taskKey(rule) : null;
  return { id, scope, task, tool, input, decision, by, recorded_at: timeOf(time) };
}

export function steeringJson({ id, text, by, time, delivered }: SteeringMessage): SteeringAnswer {
  return {
    id,
    text,
    by,
    time: timeOf(time),
    delivered: delivered && {
      attempt: delivered.attempt,
      by: delivered.by,
      time: timeOf(delivered.time),
    },
  };
}
