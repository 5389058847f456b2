/** What a task asks for, how far it is, and its relations to other tasks. */
import type { WholeTask } from '../../state/whole-task.ts';
import { Ago, Facts } from '../base/basics.tsx';
import { duration, moment, number } from '../base/format.ts';
import { agentHref, taskHref } from '../base/links.tsx';
import { Block, Line } from '../base/safe-text.tsx';

export function AboutTask({ task }: { readonly task: WholeTask }) {
  return (
    <>
      <Block text={task.description} label="Description" />
      <Facts
        rows={[
          ['Agent', task.agent === null ? null : <a href={agentHref(task.agent)}>{task.agent}</a>],
          ['Type', task.type],
          ['Action', task.action],
          ['Priority', String(task.priority)],
          ['Attempts', `${task.attempt} of ${task.max_attempts}`],
          ['Review', task.review],
          ['Timeout', task.timeout_seconds === null ? null : duration(task.timeout_seconds * 1_000)],
          ['Due', task.due_at === null ? null : <Ago time={task.due_at} />],
          ['Expires', task.expires_at === null ? null : <Ago time={task.expires_at} />],
          ['Tokens', tokensOf(task)],
          ['Cost', costOf(task)],
          ['Created', `${moment(task.created_at)}${task.source === null ? '' : `, ${task.source}`}`],
          ['Finished', task.finished_at === null ? null : moment(task.finished_at)],
          ...Object.entries(task.labels),
        ]}
      />
      {task.must_haves.length > 0 && (
        <>
          <h3>Must have</h3>
          <ul class="plain">
            {task.must_haves.map((text) => (
              <li key={text}>
                <Line text={text} />
              </li>
            ))}
          </ul>
        </>
      )}
      {task.params !== null && <Block text={JSON.stringify(task.params)} label="Parameters" />}
      <Related task={task} />
    </>
  );
}

/** Links to the other tasks of the project that the task refers to. */
function Related({ task }: { readonly task: WholeTask }) {
  return relationsOf(task).map(([name, ids]) =>
    ids.length === 0 ? null : (
      <div key={name}>
        <h3>{name}</h3>
        <ul class="plain">
          {ids.map((id) => (
            <li key={id}>
              <a href={taskHref({ project: task.project, id })}>{id}</a>
            </li>
          ))}
        </ul>
      </div>
    ),
  );
}

function relationsOf({ events, children }: WholeTask): readonly (readonly [string, readonly string[]])[] {
  const [first] = events;
  const spec = first?.event.type === 'task.created' ? first.event.spec : null;
  return [
    ['Parent', spec?.parent === undefined ? [] : [spec.parent]],
    ['Depends on', spec?.depends_on ?? []],
    ['Reviews', spec?.reviews ? [spec.reviews.task] : []],
    ['Subtasks', children?.ids ?? []],
  ];
}

/** Of all attempts; null if no agent has reported any. */
function tokensOf({ attempts = [] }: WholeTask): string | null {
  const used = attempts.map(({ usage }) => (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0));
  const sum = used.reduce((total, each) => total + each, 0);
  return sum === 0 ? null : number(sum);
}

function costOf({ attempts = [] }: WholeTask): string | null {
  const costs = attempts.flatMap(({ usage }) => usage?.cost_usd ?? []);
  return costs.length === 0 ? null : `$${costs.reduce((total, each) => total + each, 0).toFixed(4)}`;
}
