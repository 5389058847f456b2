/** One task: where it stands and why, its attempts, what it brought, and all that happened. */
import { useRoute } from 'preact-iso';
import { path } from '../api/http.ts';
import type { EventAnswer, OutputAnswer, TaskAnswer, WhyAnswer } from '../api/types.ts';
import { AttemptBars, type Stay } from '../parts/attempt-bars.tsx';
import { Ago, Empty, Facts, Loading, Section, StateBadge, Trouble } from '../parts/basics.tsx';
import { Comments } from '../parts/comments.tsx';
import { Decide } from '../parts/decide.tsx';
import { Diagram } from '../parts/diagram.tsx';
import { Events } from '../parts/events.tsx';
import { bytes, duration, moment, number } from '../parts/format.ts';
import { agentHref, taskHref } from '../parts/links.tsx';
import { Block, Line } from '../parts/safe-text.tsx';
import { board } from '../state/board.ts';
import { past } from '../state/past.ts';
import { useResource } from '../state/resource.ts';

type Whole = Omit<TaskAnswer, 'events'> & { readonly events: EventAnswer[] };

export function TaskPage() {
  const { project = '', task: id = '' } = useRoute().params;
  // The card says that something has changed: then it is asked for anew. After a while without a card, now and then.
  const card = board.value?.cards.get(`${project}/${id}`);
  const version = `${card?.sequence} ${card?.attempt_state} ${past.value === null}`;
  const task = useResource<Whole>(path`/api/projects/${project}/tasks/${id}?expand=all`, { version });
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
  const value = past.value === null ? task.value : asItWas(task.value, past.value.board.sequence);
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
          <StateBadge state={value.state} />
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
            <Diagram machine="task" state={value.state} />
          </Section>
          <Section title="What is asked for">
            <About task={value} />
          </Section>
        </aside>
      </div>
    </div>
  );
}

/** The states that it went through. */
function staysOf({ project, id, events, finished_at }: Whole): readonly Stay[] {
  const moves = events.flatMap(({ time, transitions }) =>
    transitions
      .filter((each) => each.entity === 'task' && each.id === `${project}/${id}` && each.from !== each.to)
      .map(({ to }) => ({ state: to, from: time })),
  );
  return moves.map((move, index) => ({ ...move, to: moves[index + 1]?.from ?? finished_at }));
}

/** What was known of it when an event had been stored: later outputs, comments, attempts and events are not shown. */
function asItWas(task: Whole, sequence: number): Whole {
  const events = task.events.filter((event) => event.sequence <= sequence);
  const last = events.at(-1);
  const card = past.value?.board.cards.get(`${task.project}/${task.id}`);
  const until = last?.time ?? task.created_at;
  const isKnown = ({ time }: { readonly time: string }): boolean => time <= until;
  const attempts = (task.attempts ?? [])
    .filter(({ claimed_at }) => claimed_at <= until)
    .map((attempt) => {
      const moved = events.flatMap(({ transitions }) =>
        transitions.filter(
          ({ entity, id }) => entity === 'attempt' && id === `${task.project}/${task.id}/${attempt.attempt}`,
        ),
      );
      const isOver = attempt.ended_at !== null && attempt.ended_at <= until;
      const hasStarted = attempt.started_at !== null && attempt.started_at <= until;
      return {
        ...attempt,
        state: moved.at(-1)?.to ?? attempt.state,
        started_at: hasStarted ? attempt.started_at : null,
        ended_at: isOver ? attempt.ended_at : null,
      };
    });
  return {
    ...task,
    state: card?.state ?? task.state,
    finished_at: card ? card.finished_at : task.finished_at,
    outputs: (task.outputs ?? []).filter(isKnown),
    comments: (task.comments ?? []).filter(isKnown),
    attempts,
    events,
  };
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

function About({ task }: { readonly task: Whole }) {
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
function relatedTo({ events, children }: Whole): readonly (readonly [string, readonly string[]])[] {
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
function tokensOf({ attempts = [] }: Whole): string | null {
  const used = attempts.map(({ usage }) => (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0));
  const sum = used.reduce((total, each) => total + each, 0);
  return sum === 0 ? null : number(sum);
}

function costOf({ attempts = [] }: Whole): string | null {
  const costs = attempts.flatMap(({ usage }) => usage?.cost_usd ?? []);
  return costs.length === 0 ? null : `$${costs.reduce((total, each) => total + each, 0).toFixed(4)}`;
}

function Outputs({ task: { outputs = [] } }: { readonly task: Whole }) {
  return (
    <Section title="Outputs" count={outputs.length}>
      {outputs.length === 0 && <p class="dim">Nothing yet.</p>}
      {outputs.map((output) => (
        <Output key={output.number} output={output} isOpen={output.number === outputs.length} />
      ))}
    </Section>
  );
}

function Output({ output, isOpen }: { readonly output: OutputAnswer; readonly isOpen: boolean }) {
  const file = output.content_file;
  return (
    <details class="output" open={isOpen} data-item>
      <summary>
        <Line text={output.title} /> <span class="chip">{output.type}</span>{' '}
        <span class="dim">
          {output.agent}
          {output.attempt !== null && `, attempt ${output.attempt}`}, <Ago time={output.time} />
        </span>
      </summary>
      {output.summary !== null && (
        <p>
          <Line text={output.summary} />
        </p>
      )}
      {output.content !== null && <Block text={output.content} label={`Output ${output.number}`} />}
      {file && (
        <p class="mono dim">
          {file.stored_at} ({bytes(file.size)})
        </p>
      )}
    </details>
  );
}
