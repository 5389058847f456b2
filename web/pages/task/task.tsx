/** One task: its state and the reason for it, attempts, outputs, comments and events. */
import { useRoute } from 'preact-iso';
import { path } from '../../api/http.ts';
import type { AttemptAnswer, WhyAnswer } from '../../api/types.ts';
import { Ago, Empty, Section, StateBadge, Trouble } from '../../parts/base/basics.tsx';
import { CopyButton } from '../../parts/base/copy-button.tsx';
import { moment, spoken } from '../../parts/base/format.ts';
import { attemptHref, taskHref } from '../../parts/base/links.tsx';
import { onDemand } from '../../parts/base/on-demand.tsx';
import { Page, Waiting } from '../../parts/base/page.tsx';
import { RichText } from '../../parts/base/rich-text.tsx';
import { Line } from '../../parts/base/safe-text.tsx';
import { Tabs } from '../../parts/base/tabs.tsx';
import { TaskActions } from '../../parts/decisions/task-actions.tsx';
import { AboutTask } from '../../parts/task/about-task.tsx';
import { AttemptBars } from '../../parts/task/attempt-bars.tsx';
import { Comments } from '../../parts/task/comments.tsx';
import { Events } from '../../parts/task/events.tsx';
import { FamilyTree, hasFamily } from '../../parts/task/family.tsx';
import { LastError } from '../../parts/task/last-error.tsx';
import { Outputs } from '../../parts/task/outputs.tsx';
import { board } from '../../state/board.ts';
import { keyOf } from '../../state/cards.ts';
import { NEW_TASK_PATH } from '../../state/keyboard.ts';
import { past } from '../../state/past.ts';
import { useResource } from '../../state/resource.ts';
import { mayNow } from '../../state/rights.ts';
import { asItWas, staysOf, type WholeTask } from '../../state/whole-task.ts';

const Diagram = onDemand(async () => (await import('../../parts/base/diagram.tsx')).Diagram);

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
  const failed = lastFailure(task);
  const tabs = [
    { name: 'Overview', render: () => <Overview task={task} onDone={resource.reload} /> },
    ...(hasFamily(task) ? [{ name: 'Tree', render: () => <FamilyTree task={task} /> }] : []),
    { name: 'State machine', render: () => <Diagram machine="task" state={task.status} /> },
  ];
  return (
    <Page
      above={
        <>
          <a href="/ui/board">{task.project}</a>/{task.id} <CopyButton text={task.id} what="id" />
        </>
      }
      title={<Line text={task.title} />}
      actions={
        <>
          <StateBadge state={task.status} />
          <TaskActions task={task} onDone={resource.reload} />
          {task.finished_at === null && mayNow('operate') && (
            <a
              class="button"
              href={`${taskHref(task)}/edit`}
              aria-keyshortcuts="e"
              title="Changes the task while it waits; its priority until it has ended"
            >
              Edit
            </a>
          )}
          {mayNow('create') && (
            <a
              class="button"
              href={`${NEW_TASK_PATH}?copy=${encodeURIComponent(keyOf(task))}`}
              aria-keyshortcuts="y"
              title="Opens the form with the fields of this task"
            >
              Copy
            </a>
          )}
        </>
      }
    >
      {resource.error && <Trouble error={resource.error} retry={resource.reload} />}
      {past.value === null && why.value && isExplained(why.value, failed) && <Why answer={why.value} />}
      {failed && <LastError attempt={failed} href={attemptHref(task, failed.attempt)} />}
      <Tabs label="Parts of the task" tabs={tabs} />
    </Page>
  );
}

function Overview({ task, onDone }: { readonly task: WholeTask; readonly onDone: () => void }) {
  return (
    <div class="columns-2">
      <div>
        {task.description.trim() !== '' && (
          <Section title="Description">
            <RichText text={task.description} label="Text of the description" />
          </Section>
        )}
        <Attempts task={task} />
        <Outputs task={task} />
        <Comments task={task} onDone={onDone} />
        <Events events={task.events} />
      </div>
      <aside>
        <Section title="Request">
          <AboutTask task={task} />
        </Section>
      </aside>
    </div>
  );
}

/** The newest attempt that is over, if it failed and its failure still matters: the task is neither done nor cancelled. */
function lastFailure({ status, attempts = [] }: WholeTask): AttemptAnswer | undefined {
  if (status === 'done' || status === 'cancelled' || status === 'review') return undefined;
  const ended = attempts.findLast(({ ended_at }) => ended_at !== null);
  return ended?.error == null ? undefined : ended;
}

/** Whether there is something to explain: it waits, or it has ended otherwise than by an attempt that is shown. */
function isExplained({ waits_for, status, reason }: WhyAnswer, failed: AttemptAnswer | undefined): boolean {
  if (waits_for.length > 0) return true;
  return (status === 'failed' || status === 'expired') && reason !== failed?.error;
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

/** Several reasons are a list, which then stands instead of the sentence that joins them. */
function Why({ answer: { id, status, summary, waits_for, next } }: { readonly answer: WhyAnswer }) {
  const isList = waits_for.length > 1;
  return (
    <div class="why" role="status">
      <p>
        <strong>Why: </strong>
        {isList ? (
          `task ${id} is ${spoken(status)} for ${waits_for.length} reasons.`
        ) : (
          <TimedText text={summary} />
        )}
      </p>
      {isList && (
        <ul>
          {waits_for.map((wait) => (
            <li key={wait.kind + wait.detail}>
              <TimedText text={wait.detail} />
            </li>
          ))}
        </ul>
      )}
      {next !== '' && (
        <p class="dim">
          <TimedText text={next} />
        </p>
      )}
    </div>
  );
}

const TIME = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)/;

/** A sentence of the server; the times in it are shown as everywhere on the page, and how far away they are. */
function TimedText({ text }: { readonly text: string }) {
  return (
    <>
      {text.split(TIME).map((part, index) =>
        index % 2 === 0 ? (
          <Line key={index} text={part} isPart />
        ) : (
          <span key={index}>
            {moment(part)} (<Ago time={part} />)
          </span>
        ),
      )}
    </>
  );
}
