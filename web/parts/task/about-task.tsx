/** What a task asks for, of whom, and what it has cost so far. */
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
          ...Object.entries(task.labels).map(([name, value]) => [name, value] as const),
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
      {relatedTo(task).map(([name, ids]) => (
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
      ))}
    </>
  );
}

/** Other tasks of the project that it has to do with; what its creation says stands in its first event. */
function relatedTo({ events, children }: WholeTask): readonly (readonly [string, readonly string[]])[] {
  const [first] = events;
  const spec = first?.event.type === 'task.created' ? first.event.spec : null;
  const related: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['Below', spec?.parent === undefined ? undefined : [spec.parent]],
    ['Waits for', spec?.depends_on],
    ['Reviews', spec?.reviews ? [spec.reviews.task] : undefined],
    ['Tasks below it', children?.ids],
  ];
  return related.flatMap(([name, ids]) => (ids && ids.length > 0 ? [[name, ids] as const] : []));
}

/** Of all attempts; null where no agent has said. */
function tokensOf({ attempts = [] }: WholeTask): string | null {
  const used = attempts.map(({ usage }) => (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0));
  const sum = used.reduce((total, each) => total + each, 0);
  return sum === 0 ? null : number(sum);
}

function costOf({ attempts = [] }: WholeTask): string | null {
  const costs = attempts.flatMap(({ usage }) => usage?.cost_usd ?? []);
  return costs.length === 0 ? null : `$${costs.reduce((total, each) => total + each, 0).toFixed(4)}`;
}
