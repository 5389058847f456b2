/** Schedules: when each creates its next task, and what became of the last ones. */
import { path } from '../api/http.ts';
import type { AnswerOf, ScheduleAnswer } from '../api/types.ts';
import { Ago, Empty, StateBadge } from '../parts/base/basics.tsx';
import { moment } from '../parts/base/format.ts';
import { taskHref } from '../parts/base/links.tsx';
import { Page, type PageProps, Waiting } from '../parts/base/page.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { type Decision, Decisions } from '../parts/decisions/decisions.tsx';
import { useResource } from '../state/resource.ts';
import { mayNow } from '../state/rights.ts';

const NEXT_SHOWN = 3;
const RUNS_SHOWN = 5;

const TRIGGER: Decision = {
  verb: 'trigger',
  label: 'Run now',
  hint: 'Creates a task of this schedule now, whatever its times are.',
  done: 'triggered',
};
const PAUSE: Decision = {
  verb: 'pause',
  label: 'Pause',
  hint: 'Its times pass without a task until it is resumed.',
  done: 'paused',
};
const RESUME: Decision = {
  verb: 'resume',
  label: 'Resume',
  hint: 'Times that passed meanwhile are not made up for.',
  done: 'resumed',
};

export function SchedulesPage({ title }: PageProps) {
  const resource = useResource<AnswerOf<'listSchedules'>>('/api/schedules', { everyMs: 2_000 });
  const schedules = resource.value?.schedules ?? [];
  return (
    <Page title={title}>
      <PresentOnly />
      <Waiting resource={resource} what="the schedules" />
      {resource.value && schedules.length === 0 && (
        <Empty title="No schedules. Create one with signalbox schedule add, or in the configuration." />
      )}
      {schedules.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard.
        <section class="scroll" tabIndex={0} aria-label="Table of schedules">
          <table>
            <thead>
              <tr>
                <th>Schedule</th>
                <th>When</th>
                <th>Next</th>
                <th>Last runs</th>
                {mayNow('operate') && <th>Actions</th>}
              </tr>
            </thead>
            <tbody data-group>
              {schedules.map((schedule) => (
                <Row key={schedule.id} schedule={schedule} onDone={resource.reload} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Page>
  );
}

interface RowProps {
  readonly schedule: ScheduleAnswer;
  readonly onDone: () => void;
}

function Row({ schedule, onDone }: RowProps) {
  const { id, project, title, status, reason, by, overlap, next, waiting, runs } = schedule;
  return (
    <tr data-item tabIndex={-1}>
      <td>
        <strong>{id}</strong> <StateBadge state={status} />
        <p class="dim">
          <Line text={title} /> in {project}
        </p>
        {status === 'paused' && (
          <p class="warn-text">
            by <Line text={by ?? 'Signalbox'} />
            {reason !== null && (
              <>
                : <Line text={reason} />
              </>
            )}
          </p>
        )}
      </td>
      <td>
        {whenText(schedule)}
        <p class="dim">overlap: {overlap.replaceAll('_', ' ')}</p>
      </td>
      <td>
        {next.length === 0 && '–'}
        {next.slice(0, NEXT_SHOWN).map((time) => (
          <div key={time}>{moment(time)}</div>
        ))}
        {waiting.length > 0 && <p class="dim">{waiting.length} waiting</p>}
      </td>
      <td>
        {runs.length === 0 && <span class="dim">none yet</span>}
        {runs.slice(0, RUNS_SHOWN).map((run) => (
          <div key={run.task + run.fired_at}>
            <a href={taskHref({ project, id: run.task })}>{moment(run.nominal_time)}</a>{' '}
            <StateBadge state={run.task_status ?? 'settled'} /> <Ago time={run.fired_at} />
          </div>
        ))}
      </td>
      {mayNow('operate') && (
        <td>
          {status !== 'finished' && (
            <Decisions
              decisions={status === 'paused' ? [RESUME, TRIGGER] : [TRIGGER, PAUSE]}
              subject={`schedule ${id}`}
              name={`Schedule ${id}`}
              url={path`/api/schedules/${id}`}
              onDone={onDone}
            />
          )}
        </td>
      )}
    </tr>
  );
}

function whenText({ cron, every_seconds, at, zone }: ScheduleAnswer): string {
  if (cron !== null) return `${cron} (${zone})`;
  return every_seconds === null ? `once, ${moment(at ?? '')}` : `every ${every_seconds} seconds`;
}
