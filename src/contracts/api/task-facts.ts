/** The facts of a task that the dashboard and the command line show: one list for both. */
import { type FactKind, FIELD_LABELS } from '../task-fields.ts';
import { costText, tokensText } from '../usage-text.ts';
import type { TaskAnswer } from './answers.ts';

export interface Fact {
  readonly label: string;
  readonly kind: FactKind;
  /** At least one: ids, times in RFC 3339, seconds, items of a list, `name=value` pairs, or one text. */
  readonly values: readonly string[];
}

/** In the order in which they are shown. Facts without a value are left out. */
export function factsOf(task: TaskAnswer): Fact[] {
  const fields: Readonly<Record<string, unknown>> = task;
  const all: Fact[] = [
    { label: 'Agent', kind: 'agent', values: valuesOf(task.claimed_by ?? task.agent) },
    ...FIELD_LABELS.map(({ name, label, shown }) => ({
      label,
      kind: shown,
      values: valuesOf(fields[name], shown),
    })),
    { label: 'Reviews', kind: 'tasks', values: valuesOf(task.reviews?.task) },
    { label: 'Answers a question of', kind: 'tasks', values: valuesOf(task.answers?.task) },
    { label: 'Attempts', kind: 'text', values: [attemptsText(task)] },
    { label: 'Tokens', kind: 'text', values: valuesOf(task.usage && tokensText(task.usage)) },
    { label: 'Cost', kind: 'text', values: valuesOf(task.usage && costText(task.usage)) },
    { label: 'Due', kind: 'time', values: valuesOf(task.due_at) },
    { label: 'Created', kind: 'time', values: [task.created_at] },
    { label: 'Finished', kind: 'time', values: valuesOf(task.finished_at) },
  ];
  return all.filter(({ values }) => values.length > 0);
}

/** As in `2 of 3`, and `2 of 3 used, the newest is attempt 5` if some did not count. */
export function attemptsText({
  attempt,
  attempts_used,
  max_attempts,
}: Pick<TaskAnswer, 'attempt' | 'attempts_used' | 'max_attempts'>): string {
  const used = `${attempts_used} of ${Math.max(attempts_used, max_attempts)}`;
  return attempt === attempts_used ? used : `${used} used, the newest is attempt ${attempt}`;
}

function valuesOf(value: unknown, kind: FactKind = 'text'): string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== 'object') return [String(value)];
  if (kind === 'json') return [JSON.stringify(value)];
  return Object.entries(value).map(([name, each]) => `${name}=${each}`);
}
