/** All queues: how many tasks wait in each, and which agents take them. */
import type { AnswerOf, QueueAnswer } from '../api/types.ts';
import { Ago, Empty, StateBadge } from '../parts/base/basics.tsx';
import { number } from '../parts/base/format.ts';
import { agentHref } from '../parts/base/links.tsx';
import { Page, type PageProps, Waiting } from '../parts/base/page.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { QueueActions } from '../parts/decisions/queue-actions.tsx';
import { useResource } from '../state/resource.ts';
import { mayNow } from '../state/rights.ts';

export function QueuesPage({ title }: PageProps) {
  const resource = useResource<AnswerOf<'listQueues'>>('/api/queues', {
    everyMs: 2_000,
  });
  const queues = resource.value?.queues ?? [];
  return (
    <Page title={title}>
      <PresentOnly />
      <Waiting resource={resource} what="the queues" />
      {resource.value && queues.length === 0 && <Empty title="No queues: no agents are configured." />}
      {queues.length > 0 && <Table queues={queues} onDone={resource.reload} />}
    </Page>
  );
}

interface TableProps {
  readonly queues: readonly QueueAnswer[];
  readonly onDone: () => void;
}

function Table({ queues, onDone }: TableProps) {
  const deepest = Math.max(1, ...queues.map(({ pending, scheduled }) => pending + scheduled));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard.
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
            {mayNow('operate') && <th>Actions</th>}
          </tr>
        </thead>
        <tbody data-group>
          {queues.map((queue) => (
            <Row key={queue.kind + queue.name} queue={queue} deepest={deepest} onDone={onDone} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface RowProps {
  readonly queue: QueueAnswer;
  /** Tasks in the longest queue. */
  readonly deepest: number;
  readonly onDone: () => void;
}

function Row({ queue, deepest, onDone }: RowProps) {
  const { kind, name, pending, scheduled, oldest_pending_at, agents, paused } = queue;
  return (
    <tr data-item tabIndex={-1}>
      <td>
        {kind} <strong>{name}</strong>
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
        {agents.length === 0 && <span class="warn-text">no agent takes these</span>}
        {agents.map((id, index) => (
          <span key={id}>
            {index > 0 && ', '}
            <a href={agentHref(id)}>{id}</a>
          </span>
        ))}
      </td>
      {mayNow('operate') && (
        <td>
          <QueueActions queue={queue} onDone={onDone} />
        </td>
      )}
    </tr>
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
