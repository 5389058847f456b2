/** Small components that every page uses. */
import type { ComponentChildren } from 'preact';
import type { ApiError } from '../../api/http.ts';
import { shownTime } from '../../state/past.ts';
import { ago, moment, spoken } from './format.ts';

/** What a state means to the user; it sets the colour of everything that is in it. */
export type Tone = 'calm' | 'active' | 'good' | 'warn' | 'bad' | 'ask';

const TONES: Readonly<Record<string, Tone>> = {
  scheduled: 'calm',
  pending: 'calm',
  claimed: 'active',
  working: 'active',
  review: 'ask',
  done: 'good',
  failed: 'bad',
  expired: 'bad',
  blocked: 'warn',
  cancelled: 'calm',
  requested: 'active',
  running: 'active',
  suspected: 'warn',
  waiting: 'ask',
  stopping: 'bad',
  completed: 'good',
  timed_out: 'bad',
  killed: 'bad',
  spawn_failed: 'bad',
  lost: 'warn',
  quota: 'warn',
  not_begun: 'warn',
  idle: 'good',
  busy: 'active',
  paused: 'calm',
  draining: 'calm',
  drained: 'calm',
  parked: 'bad',
  probing: 'warn',
  offline: 'bad',
  passed: 'good',
  open: 'good',
  warned: 'warn',
  exhausted: 'bad',
  active: 'good',
  finished: 'calm',
};

export const toneOf = (state: string): Tone => TONES[state] ?? 'calm';

/** A state as text and colour; colour alone is not accessible. */
export function StateBadge({ state }: { readonly state: string }) {
  return (
    <span class="badge" data-tone={toneOf(state)} data-state={state}>
      {spoken(state)}
    </span>
  );
}

/** How long ago something was, kept up to date; the tooltip has the exact time. */
export function Ago({ time, prefix = '' }: { readonly time: string | null; readonly prefix?: string }) {
  if (time === null) return <span class="dim">–</span>;
  return (
    <time dateTime={time} title={moment(time)}>
      {prefix}
      {ago(time, shownTime.value)}
    </time>
  );
}

export function Trouble({ error, retry }: { readonly error: ApiError; readonly retry?: () => void }) {
  return (
    <div class="trouble" role="alert">
      <p>{error.message}</p>
      <p class="dim">
        {error.status === 0 ? 'The page reconnects when the server is back.' : `Code: ${error.code}`}
      </p>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <div class="dim">{children}</div>}
    </div>
  );
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="loading" role="status">
      Loading {what}…
    </p>
  );
}

export interface SectionProps {
  readonly title: string;
  readonly count?: number;
  /** Buttons beside the title. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Section({ title, count, actions, children }: SectionProps) {
  return (
    <section class="section" aria-label={title}>
      <header class="section-head">
        <h2>
          {title}
          {count !== undefined && <span class="count">{count}</span>}
        </h2>
        {actions}
      </header>
      {children}
    </section>
  );
}

/** A list of names and values. Rows without a value are left out. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
