/** All tasks in memory as a table, found by words in everything that belongs to them, also their outputs. */
import { useSignal } from '@preact/signals';
import { oneLine } from '../../../src/base/text/printable.ts';
import { costText } from '../../../src/contracts/usage-text.ts';
import { path } from '../../api/http.ts';
import type { AnswerOf, TaskAnswer } from '../../api/types.ts';
import { Ago, Empty, StateBadge } from '../../parts/base/basics.tsx';
import { number } from '../../parts/base/format.ts';
import { agentHref, taskHref } from '../../parts/base/links.tsx';
import { Page, type PageProps, Waiting } from '../../parts/base/page.tsx';
import { PresentOnly } from '../../parts/base/present-only.tsx';
import { BulkActions } from '../../parts/decisions/bulk-actions.tsx';
import { keyOf } from '../../state/cards.ts';
import { type Choice, useChoice } from '../../state/chosen.ts';
import { COLUMNS } from '../../state/columns.ts';
import { useDelayed } from '../../state/delayed.ts';
import { project, words } from '../../state/filter.ts';
import { useResource } from '../../state/resource.ts';
import { mayNow } from '../../state/rights.ts';

const LIMIT = 500;

const ORDERS = {
  'Newest first': (a: TaskAnswer, b: TaskAnswer) => compare(b.created_at, a.created_at),
  'Changed last': (a: TaskAnswer, b: TaskAnswer) => compare(b.updated_at, a.updated_at),
  'Highest priority': (a: TaskAnswer, b: TaskAnswer) =>
    b.priority - a.priority || compare(a.created_at, b.created_at),
  Title: (a: TaskAnswer, b: TaskAnswer) => compare(a.title.toLowerCase(), b.title.toLowerCase()),
} as const;
type Order = keyof typeof ORDERS;

function isOrder(name: string): name is Order {
  return Object.hasOwn(ORDERS, name);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function TasksPage({ title }: PageProps) {
  const column = useSignal('');
  const order = useSignal<Order>('Newest first');
  const typed = useDelayed(words.value.trim());
  const states = COLUMNS.find(({ id }) => id === column.value)?.states ?? [];
  const query = [
    `limit=${LIMIT}`,
    ...(typed === '' ? [] : [path`q=${typed}`]),
    ...(states.length === 0 ? [] : [path`status=${states.join(',')}`]),
  ].join('&');
  const place = project.value === '' ? '/api/tasks' : path`/api/projects/${project.value}/tasks`;
  const resource = useResource<AnswerOf<'listTasks'>>(`${place}?${query}`, { everyMs: 3_000 });
  const tasks = [...(resource.value?.tasks ?? [])].sort(ORDERS[order.value]);
  const choice = useChoice(tasks);
  return (
    <Page
      title={title}
      actions={
        <BulkActions
          choice={choice}
          verbs={['approve', 'reject', 'unblock', 'retry', 'cancel']}
          total={tasks.length}
          onDone={resource.reload}
        />
      }
    >
      <PresentOnly />
      <div class="actions filters">
        <label>
          Status{' '}
          <select
            value={column.value}
            onChange={(event) => {
              column.value = event.currentTarget.value;
            }}
          >
            <option value="">all</option>
            {COLUMNS.map(({ id, title: name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Order{' '}
          <select
            value={order.value}
            onChange={({ currentTarget: { value } }) => {
              if (isOrder(value)) order.value = value;
            }}
          >
            {Object.keys(ORDERS).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <span class="dim" role="status">
          {resource.value && `${number(tasks.length)}${resource.value.next === null ? '' : ' of more'} tasks`}
        </span>
      </div>
      <Waiting resource={resource} what="the tasks" />
      {resource.value && tasks.length === 0 && (
        <Empty title="No matching tasks.">
          <p>
            Finished tasks leave memory after a while: <code>signalbox task show ID</code> still shows them.
          </p>
        </Empty>
      )}
      {tasks.length > 0 && <Table tasks={tasks} choice={choice} />}
    </Page>
  );
}

function Table({
  tasks,
  choice,
}: {
  readonly tasks: readonly TaskAnswer[];
  readonly choice: Choice<TaskAnswer>;
}) {
  const canChoose = mayNow('operate');
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard.
    <section class="scroll" tabIndex={0} aria-label="Table of tasks">
      <table class="tasks">
        <thead>
          <tr>
            {canChoose && (
              <th>
                <span class="visually-hidden">Selected</span>
              </th>
            )}
            <th>Status</th>
            <th>Title</th>
            <th>Task</th>
            <th>Agent</th>
            <th class="right">Priority</th>
            <th class="right">Attempts</th>
            <th class="right">Cost</th>
            <th>Changed</th>
          </tr>
        </thead>
        <tbody data-group>
          {tasks.map((task) => (
            <tr key={keyOf(task)} data-item>
              {canChoose && (
                <td>
                  <input
                    type="checkbox"
                    aria-keyshortcuts="s"
                    aria-label={`Select ${task.title}`}
                    checked={choice.has(task)}
                    onChange={() => choice.toggle(task)}
                  />
                </td>
              )}
              <Cells task={task} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Cells({ task }: { readonly task: TaskAnswer }) {
  const agent = task.claimed_by ?? task.agent;
  return (
    <>
      <td>
        <StateBadge state={task.status} />
      </td>
      <td class="tasks-title">
        <a class="tasks-cut" href={taskHref(task)} data-task={keyOf(task)} title={oneLine(task.title)}>
          {oneLine(task.title)}
        </a>
        {task.reason !== null && (
          <p class="dim tasks-cut" title={oneLine(task.reason)}>
            {oneLine(task.reason)}
          </p>
        )}
      </td>
      <td class="mono">{keyOf(task)}</td>
      <td>{agent === null ? `any ${task.type}` : <a href={agentHref(agent)}>{agent}</a>}</td>
      <td class="right">{task.priority}</td>
      <td class="right">
        {task.attempts_used}/{task.max_attempts}
      </td>
      <td class="right">{task.usage === null ? '–' : costText(task.usage)}</td>
      <td>
        <Ago time={task.updated_at} />
      </td>
    </>
  );
}
