/** What waits, and for whom. */
import type { QueueAnswer } from '../api/types.ts';
import { Ago, Empty, Loading, StateBadge, Trouble } from '../parts/base/basics.tsx';
import { number } from '../parts/base/format.ts';
import { agentHref } from '../parts/base/links.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { QueueActions } from '../parts/decisions/queue-actions.tsx';
import { useResource } from '../state/resource.ts';
import { mayNow } from '../state/rights.ts';

export function QueuesPage() {
  const { value, error, reload } = useResource<{ readonly queues: readonly QueueAnswer[] }>('/api/queues', {
    everyMs: 2_000,
  });
  return (
    <div class="page">
      <h1>Queues</h1>
      <PresentOnly what="What waits is shown" />
      {error && <Trouble error={error} retry={reload} />}
      {!value && !error && <Loading what="the queues" />}
      {value?.queues.length === 0 && <Empty title="There are no queues: no agent is configured." />}
      {value && value.queues.length > 0 && <Table queues={value.queues} onDone={reload} />}
    </div>
  );
}

interface TableProps {
  readonly queues: readonly QueueAnswer[];
  readonly onDone: () => void;
}

function Table({ queues, onDone }: TableProps) {
  const deepest = Math.max(1, ...queues.map(({ pending, scheduled }) => pending + scheduled));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard.
    <section class="scroll" tabIndex={0} aria-label="Table of queues">
      <table>
        <thead>
          <tr>
            <th>Tasks for</th>
            <th class="right">Pending</th>
            <th class="right">Scheduled</th>
            <th>Depth</th>
            <th>Oldest pending</th>
            <th>Agents</th>
            {mayNow('operate') && <th>Decide</th>}
          </tr>
        </thead>
        <tbody data-group>
          {queues.map((queue) => {
            const { kind, name, pending, scheduled, oldest_pending_at, agents, paused } = queue;
            return (
              <tr key={kind + name} data-item tabIndex={-1}>
                <td>
                  {kind === 'agent' ? 'agent' : 'any agent for'} <strong>{name}</strong>
                  {paused !== null && <Pause paused={paused} />}
                </td>
                <td class="right">{number(pending)}</td>
                <td class="right">{number(scheduled)}</td>
                <td>
                  <meter min={0} max={deepest} value={pending + scheduled} aria-label={`Depth of ${name}`} />
                </td>
                <td>
                  <Ago time={oldest_pending_at} />
                </td>
                <td>
                  {agents.length === 0 ? (
                    <span class="warn-text">nobody takes these</span>
                  ) : (
                    agents.map((id, index) => (
                      <span key={id}>
                        {index > 0 && ', '}
                        <a href={agentHref(id)}>{id}</a>
                      </span>
                    ))
                  )}
                </td>
                {mayNow('operate') && (
                  <td>
                    <QueueActions queue={queue} onDone={onDone} />
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Pause({ paused }: { readonly paused: NonNullable<QueueAnswer['paused']> }) {
  const { since, by, reason } = paused;
  return (
    <p class="dim">
      <StateBadge state="paused" /> for <Ago time={since} /> by <Line text={by} />
      {reason !== null && (
        <>
          : <Line text={reason} />
        </>
      )}
    </p>
  );
}
