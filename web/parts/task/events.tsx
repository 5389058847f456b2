/** The events of a task as sentences; an opened event shows its record in the log. */
import { useSignal } from '@preact/signals';
import type { EventAnswer } from '../../api/types.ts';
import { Section, StateBadge } from '../base/basics.tsx';
import { moment, number } from '../base/format.ts';
import { Block, Line } from '../base/safe-text.tsx';
import { happened } from './event-sentence.ts';

/** Earlier events are shown on demand. */
const SHOWN = 200;

export function Events({ events }: { readonly events: readonly EventAnswer[] }) {
  const isWhole = useSignal(false);
  const shown = isWhole.value ? events : events.slice(-SHOWN);
  return (
    <Section title="Timeline" count={events.length}>
      {shown.length < events.length && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            isWhole.value = true;
          }}
        >
          Show {number(events.length - shown.length)} earlier events
        </button>
      )}
      <ol class="timeline">
        {shown.map((event) => (
          <li key={event.id} data-type={event.event.type}>
            <Event event={event} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Event({ event }: { readonly event: EventAnswer }) {
  const isOpen = useSignal(false);
  const moved = event.transitions.find(({ entity, from, to }) => entity === 'task' && from !== to);
  return (
    <details
      onToggle={({ currentTarget }) => {
        isOpen.value = currentTarget.open;
      }}
    >
      <summary>
        <span class="mono dim timeline-place">{event.sequence}</span>
        <span class="dim timeline-time">{moment(event.time)}</span>
        <span class="timeline-text">
          <Line text={happened(event)} />
          {moved && (
            <>
              {' '}
              <StateBadge state={moved.to} />
            </>
          )}
        </span>
        <span class="dim timeline-actor">{event.actor.replace(/^(user|agent):/, '')}</span>
      </summary>
      {isOpen.value && <Block text={JSON.stringify(event)} label={`Event ${event.sequence}`} />}
    </details>
  );
}
