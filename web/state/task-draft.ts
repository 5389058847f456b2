/** A task as it is typed into the form, and the request that follows from it. */
import { parseDuration } from '../../src/base/duration.ts';
import type { TaskAnswer } from '../api/types.ts';

/** Every field as text; empty for what is not given. */
export interface TaskDraft {
  readonly project: string;
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** `agent:ID` or `type:NAME`. */
  readonly taker: string;
  readonly priority: string;
  readonly review: string;
  readonly maxAttempts: string;
  readonly timeout: string;
  readonly dependsOn: string;
  readonly parent: string;
  readonly delay: string;
  readonly expires: string;
  readonly action: string;
  readonly params: string;
  readonly labels: string;
  readonly mustHaves: string;
}

/** @param project empty for the default */
export function emptyDraft(project: string): TaskDraft {
  return {
    project: project === '' ? 'default' : project,
    id: '',
    title: '',
    description: '',
    taker: '',
    priority: '5',
    review: '',
    maxAttempts: '',
    timeout: '',
    dependsOn: '',
    parent: '',
    delay: '',
    expires: '',
    action: '',
    params: '',
    labels: '',
    mustHaves: '',
  };
}

/** What the form shows of a task, or of a request like it. */
export type Shown = Partial<
  Pick<
    TaskAnswer,
    | 'title'
    | 'description'
    | 'agent'
    | 'type'
    | 'priority'
    | 'review'
    | 'max_attempts'
    | 'timeout_seconds'
    | 'action'
    | 'params'
    | 'labels'
    | 'must_haves'
  >
>;

/** Without the id, the times and the relations, which were those of the other task. */
export function draftOf(task: Shown, project: string): TaskDraft {
  const blank = emptyDraft(project);
  return {
    ...blank,
    title: task.title ?? '',
    description: task.description ?? '',
    taker: task.agent ? `agent:${task.agent}` : task.type ? `type:${task.type}` : '',
    priority: String(task.priority ?? blank.priority),
    review: task.review ?? '',
    maxAttempts: String(task.max_attempts ?? ''),
    timeout: task.timeout_seconds == null ? '' : `${task.timeout_seconds}s`,
    action: task.action ?? '',
    params: task.params == null ? '' : JSON.stringify(task.params, null, 2),
    labels: Object.entries(task.labels ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
    mustHaves: (task.must_haves ?? []).join('\n'),
  };
}

/**
 * The body of the request; Signalbox checks it.
 * @param now epoch milliseconds
 * @throws Error for what cannot be sent: a duration, JSON or a label that is not written as one
 */
export function requestOf(draft: TaskDraft, now = Date.now()): Readonly<Record<string, unknown>> {
  return withoutEmpty({
    ...fieldsOf(draft, now),
    id: draft.id.trim() || undefined,
    max_attempts: draft.maxAttempts === '' ? undefined : Number(draft.maxAttempts),
    depends_on: listOf(draft.dependsOn, /[\s,]+/),
    parent: draft.parent.trim() || undefined,
    delay_seconds: secondsOf(draft.delay, 'Not before'),
    source: 'dashboard',
  });
}

/**
 * The same for a draft that was made of another request: what the form does not show stays as it was there.
 * @throws Error as `requestOf`
 */
export function requestLike(
  origin: Readonly<Record<string, unknown>>,
  draft: TaskDraft,
  source: string,
): Readonly<Record<string, unknown>> {
  const shown = new Set([...Object.keys(fieldsOf(draft, 0)), 'max_attempts', 'delay_seconds']);
  // The form has one of both.
  if (draft.taker.startsWith('agent:')) shown.delete('type');
  const others = Object.entries(origin).filter(([name]) => !shown.has(name));
  return { ...Object.fromEntries(others), ...requestOf(draft), source };
}

/** What an edit has to change to make one draft of the other. @throws Error as `requestOf` */
export function editOf(before: TaskDraft, after: TaskDraft, now = Date.now()): object {
  const was: Readonly<Record<string, unknown>> = fieldsOf(before, now);
  return Object.fromEntries(
    Object.entries(fieldsOf(after, now)).flatMap(([name, value]) => {
      if (JSON.stringify(value) === JSON.stringify(was[name])) return [];
      // The type of a task that moves to one agent stays.
      if (name === 'type' && value === undefined) return [];
      return [[name, name === 'labels' ? { ...removed(was[name]), ...Object(value) } : (value ?? null)]];
    }),
  );
}

/** Labels that an edit removes unless it names them. */
function removed(labels: unknown): object {
  return Object.fromEntries(Object.keys(Object(labels)).map((name) => [name, null]));
}

/** The fields that can be changed later. */
function fieldsOf(draft: TaskDraft, now: number) {
  const { taker } = draft;
  return {
    title: draft.title,
    description: draft.description,
    agent: taker.startsWith('agent:') ? taker.slice('agent:'.length) : undefined,
    type: taker.startsWith('type:') ? taker.slice('type:'.length) : undefined,
    priority: draft.priority === '' ? undefined : Number(draft.priority),
    review: draft.review || undefined,
    timeout_seconds: secondsOf(draft.timeout, 'Time limit'),
    expires_at: timeOf(draft.expires, 'Expires', now),
    action: draft.action.trim() || undefined,
    params: draft.params.trim() === '' ? undefined : parsed(draft.params),
    labels: labelsOf(draft.labels),
    must_haves: listOf(draft.mustHaves, /\n/),
  };
}

function withoutEmpty(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function secondsOf(text: string, name: string): number | undefined {
  if (text.trim() === '') return undefined;
  const seconds = parseDuration(text);
  if (seconds === null) throw new Error(`${name}: expected a duration such as 90s, 10m or 2h`);
  return seconds;
}

/** A time as it is, or so long from now. */
function timeOf(text: string, name: string, now: number): string | undefined {
  if (text.trim() === '') return undefined;
  const seconds = parseDuration(text);
  if (seconds !== null) return new Date(now + seconds * 1_000).toISOString();
  if (/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(text.trim())) return text.trim();
  throw new Error(`${name}: expected a duration such as 2h, or a time such as 2030-01-31T12:00:00Z`);
}

function listOf(text: string, separator: RegExp): string[] | undefined {
  const items = text
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== '');
  return items.length === 0 ? undefined : items;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('Parameters: expected JSON, such as {"file": "a.ts"}');
  }
}

function labelsOf(text: string): Record<string, string> | undefined {
  const labels = (listOf(text, /\n/) ?? []).map((line): [string, string] => {
    const [name = '', ...value] = line.split('=');
    if (value.length === 0) throw new Error(`Labels: expected name=value, not ${JSON.stringify(line)}`);
    return [name.trim(), value.join('=').trim()];
  });
  return labels.length === 0 ? undefined : Object.fromEntries(labels);
}
