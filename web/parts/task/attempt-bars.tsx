/** The attempts of a task as bars on one axis of time: what waited, what ran, and how each ended. */
import type { AttemptAnswer, TaskAnswer } from '../../../src/contracts/api/answers.ts';
import { shownTime } from '../../state/moment.ts';
import type { Stay } from '../../state/whole-task.ts';
import { StateBadge, toneOf } from '../base/basics.tsx';
import { duration, moment, spoken } from '../base/format.ts';
import { attemptHref } from '../base/links.tsx';

export interface AttemptBarsProps {
  readonly stays: readonly Stay[];
  readonly task: Pick<TaskAnswer, 'project' | 'id' | 'status' | 'created_at' | 'finished_at'>;
  readonly attempts: readonly AttemptAnswer[];
}

/** Percent; what lasted no time is still to be seen. */
const SHORTEST = 0.6;

export function AttemptBars({ task, attempts, stays }: AttemptBarsProps) {
  const begin = Date.parse(task.created_at);
  const end = Math.max(begin + 1, task.finished_at === null ? shownTime.value : Date.parse(task.finished_at));
  const place = (time: number): number =>
    (Math.min(Math.max(0, time - begin), end - begin) / (end - begin)) * 100;
  return (
    <div class="bars">
      <ol>
        <li>
          <span class="bar-name">the task</span>
          <span class="bar-track" role="img" aria-label={stays.map(spokenStay).join(', ')}>
            {stays.map(({ state, from, to }) => (
              <Bar
                key={from + state}
                from={place(Date.parse(from))}
                to={to === null ? 100 : place(Date.parse(to))}
                kind="stay"
                tone={toneOf(state)}
                title={spoken(state)}
              />
            ))}
          </span>
          <span class="bar-facts">
            <StateBadge state={task.status} />
          </span>
        </li>
        {attempts.map((attempt) => {
          const claimed = Date.parse(attempt.claimed_at);
          const started = attempt.started_at === null ? null : Date.parse(attempt.started_at);
          const ended = attempt.ended_at === null ? end : Date.parse(attempt.ended_at);
          return (
            <li key={attempt.attempt} data-item>
              <a class="bar-name" href={attemptHref(task.project, task.id, attempt.attempt)}>
                #{attempt.attempt} <span class="dim">{attempt.agent}</span>
              </a>
              <span class="bar-track" aria-hidden="true">
                <Bar from={place(claimed)} to={place(started ?? ended)} kind="starting" tone="calm" />
                {started !== null && (
                  <Bar
                    from={place(started)}
                    to={place(ended)}
                    kind={attempt.ended_at === null ? 'running' : 'ended'}
                    tone={toneOf(attempt.status)}
                  />
                )}
              </span>
              <span class="bar-facts">
                <StateBadge state={attempt.status} />
                <span class="dim">{duration(ended - (started ?? claimed))}</span>
              </span>
            </li>
          );
        })}
      </ol>
      <p class="bar-axis dim">
        <span>{moment(begin)}</span>
        <span>{duration(end - begin)}</span>
        <span>{task.finished_at === null ? 'now' : moment(end)}</span>
      </p>
    </div>
  );
}

const spokenStay = ({ state, from, to }: Stay): string =>
  `${spoken(state)}${to === null ? '' : ` for ${duration(Date.parse(to) - Date.parse(from))}`}`;

interface BarProps {
  readonly title?: string;
  readonly from: number;
  readonly to: number;
  readonly kind: string;
  readonly tone: string;
}

function Bar({ from, to, kind, tone, title }: BarProps) {
  const width = Math.max(SHORTEST, to - from);
  return (
    <i
      class="bar"
      data-kind={kind}
      data-tone={tone}
      title={title}
      style={{ left: `${Math.min(from, 100 - width)}%`, width: `${width}%` }}
    />
  );
}
