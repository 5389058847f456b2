/** Schedules: when each creates its next task, and what became of the last ones. */
import type { ComponentChildren } from 'preact';
import { path } from '../api/http.ts';
import type { AnswerOf, ScheduleAnswer } from '../api/types.ts';
import { Empty, StateBadge } from '../parts/base/basics.tsx';
import { counted, duration, moment, spoken } from '../parts/base/format.ts';
import { taskHref } from '../parts/base/links.tsx';
import { Page, type PageProps, Waiting } from '../parts/base/page.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { Backfill } from '../parts/decisions/backfill.tsx';
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
        <Empty title="No schedules.">
          <p>
            Create one with <code>signalbox schedule add</code>, or under <code>schedules</code> in{' '}
            <code>signalbox.config.yaml</code>.
          </p>
        </Empty>
      )}
      <ul class="rows section" data-group>
        {schedules.map((schedule) => (
          <Row key={schedule.id} schedule={schedule} onDone={resource.reload} />
        ))}
      </ul>
    </Page>
  );
}

interface RowProps {
  readonly schedule: ScheduleAnswer;
  readonly onDone: () => void;
}

function Row({ schedule, onDone }: RowProps) {
  const { id, project, status, next, waiting, runs } = schedule;
  return (
    <li class="schedule" data-item tabIndex={-1}>
      <About schedule={schedule} />
      <Part title="Next">
        {next.length === 0 && <li class="dim">{status === 'paused' ? 'none while it is paused' : 'none'}</li>}
        {next.slice(0, NEXT_SHOWN).map((time) => (
          <li key={time}>{moment(time)}</li>
        ))}
        {waiting.length > 0 && <li class="warn-text">{counted(waiting.length, 'time')} waiting</li>}
      </Part>
      <Part title="Last runs">
        {runs.length === 0 && <li class="dim">none yet</li>}
        {runs.slice(0, RUNS_SHOWN).map((run) => (
          <li key={run.task + run.fired_at}>
            <a href={taskHref({ project, id: run.task })}>{moment(run.nominal_time)}</a>{' '}
            <StateBadge state={run.task_status ?? 'settled'} />
          </li>
        ))}
      </Part>
      {mayNow('operate') && (
        <div class="schedule-actions">
          {status !== 'finished' && (
            <Decisions
              decisions={status === 'paused' ? [RESUME, TRIGGER] : [TRIGGER, PAUSE]}
              subject={`schedule ${id}`}
              name={`Schedule ${id}`}
              url={path`/api/schedules/${id}`}
              onDone={onDone}
            />
          )}
          {status === 'active' && <Backfill id={id} onDone={onDone} />}
        </div>
      )}
    </li>
  );
}

function About({ schedule }: Pick<RowProps, 'schedule'>) {
  const { id, project, title, agent, type, status, reason, by, overlap } = schedule;
  return (
    <div>
      <strong>{id}</strong> <StateBadge state={status} />
      <p>
        <When schedule={schedule} />
        <span class="dim">, overlap: {spoken(overlap)}</span>
      </p>
      <p class="dim">
        <Line text={title} /> – {agent ?? `any ${type}`}, project {project}
      </p>
      {status === 'paused' && (
        <p class="warn-text">
          Paused by <Line text={by ?? 'Signalbox'} />
          {reason !== null && (
            <>
              : <Line text={reason} />
            </>
          )}
        </p>
      )}
    </div>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section aria-label={title}>
      <p class="dim">{title}</p>
      <ul class="plain">{children}</ul>
    </section>
  );
}

function When({ schedule: { cron, every_seconds, at, zone } }: Pick<RowProps, 'schedule'>) {
  if (cron !== null) {
    return (
      <>
        <code>{cron}</code> {zone}
      </>
    );
  }
  return (
    <>{every_seconds === null ? `once, ${moment(at ?? '')}` : `every ${duration(every_seconds * 1_000)}`}</>
  );
}
