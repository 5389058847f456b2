/** All running processes: the open attempts of this machine, each with its process tree, as `signalbox ps` lists them. */
import { attemptKey, taskKey } from '../../src/contracts/ids.ts';
import type { AnswerOf } from '../api/types.ts';
import { Empty, StateBadge } from '../parts/base/basics.tsx';
import { duration } from '../parts/base/format.ts';
import { agentHref, attemptHref } from '../parts/base/links.tsx';
import { Page, type PageProps, Waiting } from '../parts/base/page.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { useResource } from '../state/resource.ts';

type OpenAttempt = AnswerOf<'listProcesses'>['attempts'][number];

export function ProcessesPage({ title }: PageProps) {
  const resource = useResource<AnswerOf<'listProcesses'>>('/api/processes', { everyMs: 2_000 });
  const attempts = resource.value?.attempts ?? [];
  return (
    <Page title={title}>
      <PresentOnly />
      <Waiting resource={resource} what="the processes" />
      {resource.value && attempts.length === 0 && <Empty title="Nothing is running." />}
      {attempts.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard.
        <section class="scroll" tabIndex={0} aria-label="Table of processes">
          <table>
            <thead>
              <tr>
                <th>Process</th>
                <th>Command</th>
                <th class="right">CPU time</th>
                <th class="right">Running for</th>
              </tr>
            </thead>
            {attempts.map((attempt) => (
              <Attempt key={attemptKey(attempt)} attempt={attempt} />
            ))}
          </table>
        </section>
      )}
    </Page>
  );
}

function Attempt({
  attempt: { project, task, attempt, agent, status, processes },
}: {
  readonly attempt: OpenAttempt;
}) {
  return (
    <tbody>
      <tr>
        <th colSpan={4} scope="rowgroup">
          <a href={attemptHref({ project, id: task }, attempt)}>
            {taskKey({ project, task })}, attempt {attempt}
          </a>{' '}
          by <a href={agentHref(agent)}>{agent}</a> <StateBadge state={status} />
        </th>
      </tr>
      {(processes ?? []).map((process) => (
        <tr key={process.pid}>
          <td class="mono">{process.pid}</td>
          <td class="mono">
            <Line text={process.command} />
          </td>
          <td class="right">{process.cpu_ms === null ? '–' : duration(process.cpu_ms)}</td>
          <td class="right">{duration(process.age_ms)}</td>
        </tr>
      ))}
      {(processes ?? []).length === 0 && (
        <tr>
          <td colSpan={4} class="dim">
            {processes === null
              ? 'Its driver has no processes on this machine.'
              : 'No running process is found.'}
          </td>
        </tr>
      )}
    </tbody>
  );
}
