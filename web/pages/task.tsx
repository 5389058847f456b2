/** One task: its state and the reason for it, attempts, outputs, comments and events. */
import { useRoute } from 'preact-iso';
import { path } from '../api/http.ts';
import type { WhyAnswer } from '../api/types.ts';
import { Ago, Empty, Section, StateBadge, Trouble } from '../parts/base/basics.tsx';
import { Diagram } from '../parts/base/diagram.tsx';
import { Page, Waiting } from '../parts/base/page.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { TaskActions } from '../parts/decisions/task-actions.tsx';
import { AboutTask } from '../parts/task/about-task.tsx';
import { AttemptBars } from '../parts/task/attempt-bars.tsx';
import { Comments } from '../parts/task/comments.tsx';
import { Events } from '../parts/task/events.tsx';
import { Outputs } from '../parts/task/outputs.tsx';
import { board } from '../state/board.ts';
import { keyOf } from '../state/cards.ts';
import { past } from '../state/past.ts';
import { useResource } from '../state/resource.ts';
import { asItWas, staysOf, type WholeTask } from '../state/whole-task.ts';

export function TaskPage() {
  const { project = '', task: id = '' } = useRoute().params;
  const name = keyOf({ project, id });
  const url = path`/api/projects/${project}/tasks/${id}`;
  // The card shows that something has changed: the task is loaded again then.
  const card = board.value?.cards.get(name);
  const version = `${card?.sequence} ${card?.attempt_status} ${past.value === null}`;
  const resource = useResource<WholeTask>(`${url}?expand=all`, { version });
  const why = useResource<WhyAnswer>(`${url}/why`, { version, everyMs: 5_000 });
  if (!resource.value) {
    return (
      <Page title={name}>
        <Waiting resource={resource} what="the task" />
      </Page>
    );
  }
  const task = past.value === null ? resource.value : asItWas(resource.value, past.value.board);
  return (
    <Page
      above={
        <>
          <a href="/ui/board">{task.project}</a>/{task.id}
        </>
      }
      title={<Line text={task.title} />}
      actions={
        <>
          <StateBadge state={task.status} />
          <TaskActions task={task} onDone={resource.reload} />
        </>
      }
    >
      {resource.error && <Trouble error={resource.error} retry={resource.reload} />}
      {past.value === null && why.value && why.value.waits_for.length > 0 && <Why answer={why.value} />}
      <div class="columns-2">
        <div>
          <Attempts task={task} />
          <Outputs task={task} />
          <Comments task={task} onDone={resource.reload} />
          <Events events={task.events} />
        </div>
        <aside>
          <Section title="State">
            <Diagram machine="task" state={task.status} />
          </Section>
          <Section title="Request">
            <AboutTask task={task} />
          </Section>
        </aside>
      </div>
    </Page>
  );
}

function Attempts({ task }: { readonly task: WholeTask }) {
  const attempts = task.attempts ?? [];
  return (
    <Section title="Attempts" count={attempts.length}>
      {attempts.length > 0 ? (
        <AttemptBars task={task} attempts={attempts} stays={staysOf(task)} />
      ) : (
        <Empty title="No attempts yet." />
      )}
    </Section>
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
