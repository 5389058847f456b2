/** One task: where it stands and why, its attempts, what it brought, and all that happened. */
import { useRoute } from 'preact-iso';
import { path } from '../api/http.ts';
import type { WhyAnswer } from '../api/types.ts';
import { Ago, Empty, Loading, Section, StateBadge, Trouble } from '../parts/base/basics.tsx';
import { Diagram } from '../parts/base/diagram.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { Decide } from '../parts/decisions/task-actions.tsx';
import { AboutTask } from '../parts/task/about-task.tsx';
import { AttemptBars } from '../parts/task/attempt-bars.tsx';
import { Comments } from '../parts/task/comments.tsx';
import { Events } from '../parts/task/events.tsx';
import { Outputs } from '../parts/task/outputs.tsx';
import { board } from '../state/board.ts';
import { past } from '../state/past.ts';
import { useResource } from '../state/resource.ts';
import { asItWas, staysOf, type WholeTask } from '../state/whole-task.ts';

export function TaskPage() {
  const { project = '', task: id = '' } = useRoute().params;
  // The card says that something has changed: then it is asked for anew. After a while without a card, now and then.
  const card = board.value?.cards.get(`${project}/${id}`);
  const version = `${card?.sequence} ${card?.attempt_status} ${past.value === null}`;
  const task = useResource<WholeTask>(path`/api/projects/${project}/tasks/${id}?expand=all`, { version });
  const why = useResource<WhyAnswer>(path`/api/projects/${project}/tasks/${id}/why`, {
    version,
    everyMs: 5_000,
  });
  if (!task.value) {
    return (
      <div class="page">
        <h1>
          {project}/{id}
        </h1>
        {task.error ? <Trouble error={task.error} retry={task.reload} /> : <Loading what="the task" />}
      </div>
    );
  }
  const value = past.value === null ? task.value : asItWas(task.value, past.value.board);
  return (
    <div class="page task-page">
      <header class="page-head">
        <div>
          <p class="mono dim">
            <a href="/ui/board">{value.project}</a>/{value.id}
          </p>
          <h1>
            <Line text={value.title} />
          </h1>
        </div>
        <div class="head-state">
          <StateBadge state={value.status} />
          <Decide task={value} onDone={task.reload} />
        </div>
      </header>
      {task.error && <Trouble error={task.error} retry={task.reload} />}
      {past.value === null && why.value && why.value.waits_for.length > 0 && <Why answer={why.value} />}
      <div class="columns-2">
        <div>
          <Section title="Attempts" count={value.attempts?.length ?? 0}>
            {value.attempts && value.attempts.length > 0 ? (
              <AttemptBars task={value} attempts={value.attempts} stays={staysOf(value)} />
            ) : (
              <Empty title="Nobody has tried yet." />
            )}
          </Section>
          <Outputs task={value} />
          <Comments task={value} onDone={task.reload} />
          <Events events={value.events} />
        </div>
        <aside>
          <Section title="State">
            <Diagram machine="task" state={value.status} />
          </Section>
          <Section title="What is asked for">
            <AboutTask task={value} />
          </Section>
        </aside>
      </div>
    </div>
  );
}

function Why({ answer: { summary, waits_for, next } }: { readonly answer: WhyAnswer }) {
  return (
    <div class="why" role="status">
      <p>
        <strong>Why: </strong>
        <Line text={summary} />
      </p>
      {next !== '' && (
        <p class="dim">
          <Line text={next} />
        </p>
      )}
      {waits_for.length > 1 && (
        <ul>
          {waits_for.map((wait) => (
            <li key={wait.kind + wait.detail}>
              <Line text={wait.detail} />
              {wait.until !== undefined && (
                <span class="dim">
                  {' '}
                  (<Ago time={wait.until} />)
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
