/** The attempts of a task as bars on one time axis, below the states of the task. */
import type { AttemptAnswer, TaskAnswer } from '../../api/types.ts';
import { past, shownTime } from '../../state/past.ts';
import type { Stay } from '../../state/whole-task.ts';
import { StateBadge, toneOf } from '../base/basics.tsx';
import { duration, moment, spoken } from '../base/format.ts';
import { attemptHref } from '../base/links.tsx';

export interface AttemptBarsProps {
  readonly task: Pick<TaskAnswer, 'project' | 'id' | 'status' | 'created_at' | 'finished_at'>;
  readonly stays: readonly Stay[];
  readonly attempts: readonly AttemptAnswer[];
}

/** Smallest width of a bar in percent, so that it stays visible. */
const MIN_WIDTH = 0.6;

export function AttemptBars({ task, attempts, stays }: AttemptBarsProps) {
  const begin = Date.parse(task.created_at);
  const end = Math.max(begin + 1, task.finished_at === null ? shownTime.value : Date.parse(task.finished_at));
  /** Position on the axis in percent; null is the end. */
  const place = (time: string | null): number => {
    const offset = time === null ? end - begin : Date.parse(time) - begin;
    return (Math.min(Math.max(0, offset), end - begin) / (end - begin)) * 100;
  };
  return (
    <div class="bars">
      <ol>
        <li>
          <span class="bar-name">the task</span>
          <span class="bar-track" role="img" aria-label={stays.map(stayText).join(', ')}>
            {stays.map(({ state, from, to }) => (
              <Bar
                key={from + state}
                from={place(from)}
                to={place(to)}
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
        {attempts.map((attempt) => (
          <AttemptBar
            key={attempt.attempt}
            attempt={attempt}
            href={attemptHref(task, attempt.attempt)}
            end={end}
            place={place}
          />
        ))}
      </ol>
      <p class="bar-axis dim">
        <span>{moment(begin)}</span>
        <span>{duration(end - begin)}</span>
        <span>{task.finished_at === null && past.value === null ? 'now' : moment(end)}</span>
      </p>
    </div>
  );
}

interface AttemptBarProps {
  readonly attempt: AttemptAnswer;
  readonly href: string;
  /** Of the axis, in epoch milliseconds. */
  readonly end: number;
  readonly place: (time: string | null) => number;
}

function AttemptBar({ attempt, href, end, place }: AttemptBarProps) {
  const { claimed_at, started_at, ended_at } = attempt;
  const ended = ended_at === null ? end : Date.parse(ended_at);
  return (
    <li data-item>
      <a class="bar-name" href={href}>
        #{attempt.attempt} <span class="dim">{attempt.agent}</span>
      </a>
      <span class="bar-track" aria-hidden="true">
        <Bar from={place(claimed_at)} to={place(started_at ?? ended_at)} kind="starting" tone="calm" />
        {started_at !== null && (
          <Bar
            from={place(started_at)}
            to={place(ended_at)}
            kind={ended_at === null ? 'running' : 'ended'}
            tone={toneOf(attempt.status)}
          />
        )}
      </span>
      <span class="bar-facts">
        <StateBadge state={attempt.status} />
        <span class="dim">{duration(ended - Date.parse(started_at ?? claimed_at))}</span>
      </span>
    </li>
  );
}

function stayText({ state, from, to }: Stay): string {
  return `${spoken(state)}${to === null ? '' : ` for ${duration(Date.parse(to) - Date.parse(from))}`}`;
}

interface BarProps {
  readonly title?: string;
  readonly from: number;
  readonly to: number;
  readonly kind: string;
  readonly tone: string;
}

function Bar({ from, to, kind, tone, title }: BarProps) {
  const width = Math.max(MIN_WIDTH, to - from);
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
