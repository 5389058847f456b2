/** One attempt: what was started, what it does now, what it prints, and how it ended. */
import { useSignal } from '@preact/signals';
import { useRoute } from 'preact-iso';
import { ApiError, path, post } from '../api/http.ts';
import type { AttemptAnswer, ProcessTreeAnswer } from '../api/types.ts';
import { LogView } from '../parts/attempt/log-view.tsx';
import { ProcessTree } from '../parts/attempt/process-tree.tsx';
import { Ago, Empty, Facts, Loading, Section, StateBadge, Trouble } from '../parts/base/basics.tsx';
import { Diagram } from '../parts/base/diagram.tsx';
import { bytes, duration, moment, number, spoken } from '../parts/base/format.ts';
import { agentHref, taskHref } from '../parts/base/links.tsx';
import { notify } from '../parts/base/notices.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { Block, Line } from '../parts/base/safe-text.tsx';
import { board } from '../state/board.ts';
import { useResource } from '../state/resource.ts';
import { mayNow } from '../state/rights.ts';
import { decider } from '../state/session.ts';

export function AttemptPage() {
  const { project = '', task = '', attempt = '' } = useRoute().params;
  const card = board.value?.cards.get(`${project}/${task}`);
  const version = `${card?.sequence} ${card?.attempt_status}`;
  const url = path`/api/projects/${project}/tasks/${task}/attempts/${attempt}`;
  const { value, error, reload } = useResource<AttemptAnswer>(url, { version });
  if (!value) {
    return (
      <div class="page">
        <h1>
          {project}/{task}, attempt {attempt}
        </h1>
        {error ? <Trouble error={error} retry={reload} /> : <Loading what="the attempt" />}
      </div>
    );
  }
  const isOpen = value.ended_at === null;
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <p class="mono dim">
            <a href={taskHref({ project, id: task })}>
              {project}/{task}
            </a>
          </p>
          <h1>
            Attempt {value.attempt} <span class="dim">by {value.agent}</span>
          </h1>
        </div>
        <div class="head-state">
          <StateBadge state={value.status} />
          {isOpen && value.status !== 'stopping' && mayNow('operate') && <Kill url={url} onDone={reload} />}
        </div>
      </header>
      <PresentOnly what="The attempt is shown" />
      {value.error !== null && (
        <p class="why" data-tone="bad">
          <strong>Error: </strong>
          <Line text={value.error} />
        </p>
      )}
      <div class="columns-2">
        <div>
          {isOpen && <Processes url={url} />}
          <Section title="Log">
            <LogView url={`${url}/log`} />
          </Section>
          {value.rejected_messages.length > 0 && (
            <Section title="Messages that came too late" count={value.rejected_messages.length}>
              <ul class="plain">
                {value.rejected_messages.map(({ message, reason, time }) => (
                  <li key={time + message}>
                    {message}: <Line text={reason} />{' '}
                    <span class="dim">
                      <Ago time={time} />
                    </span>
                  </li>
                ))}
              </ul>
            </Section>
          )}
        </div>
        <aside>
          <Section title="State">
            <Diagram machine="attempt" state={value.outcome === null ? value.status : value.outcome} />
          </Section>
          <Section title="Facts">
            <Details attempt={value} />
          </Section>
          {value.evidence !== null && (
            <Section title="Evidence of its end">
              <Block text={JSON.stringify(value.evidence)} label="Evidence" />
            </Section>
          )}
        </aside>
      </div>
    </div>
  );
}

function Details({ attempt }: { readonly attempt: AttemptAnswer }) {
  const { usage, command } = attempt;
  return (
    <Facts
      rows={[
        ['Agent', <a href={agentHref(attempt.agent)}>{attempt.agent}</a>],
        ['Driver', attempt.driver],
        ['Command', command ? <code>{command.join(' ')}</code> : null],
        ['Host', attempt.host],
        ['Process', attempt.pid === null ? null : String(attempt.pid)],
        ['Session', attempt.session],
        ['Claimed', moment(attempt.claimed_at)],
        ['Started', attempt.started_at === null ? null : moment(attempt.started_at)],
        ['Ended', attempt.ended_at === null ? null : moment(attempt.ended_at)],
        ['Took', attempt.duration_ms === null ? null : duration(attempt.duration_ms)],
        [
          'Deadline',
          attempt.deadline === null || attempt.ended_at !== null ? null : <Ago time={attempt.deadline} />,
        ],
        ['Stopped for', attempt.stop_reason === null ? null : spoken(attempt.stop_reason)],
        ['Exit code', attempt.exit_code === null ? null : String(attempt.exit_code)],
        ['Signal', attempt.signal],
        ['Processor time', attempt.cpu_ms === null ? null : duration(attempt.cpu_ms)],
        ['Peak memory', attempt.peak_memory_bytes === null ? null : bytes(attempt.peak_memory_bytes)],
        ['Tokens in', usage?.input_tokens === undefined ? null : number(usage.input_tokens)],
        ['Tokens out', usage?.output_tokens === undefined ? null : number(usage.output_tokens)],
        ['Cost', usage?.cost_usd === undefined ? null : `$${usage.cost_usd.toFixed(4)}`],
      ]}
    />
  );
}

function Kill({ url, onDone }: { readonly url: string; readonly onDone: () => void }) {
  const isSending = useSignal(false);
  const kill = async (): Promise<void> => {
    isSending.value = true;
    try {
      await post(`${url}/kill`, decider());
      notify('The attempt is being stopped.');
      onDone();
    } catch (error) {
      notify(error instanceof ApiError ? error.message : String(error), 'bad');
    } finally {
      isSending.value = false;
    }
  };
  return (
    <button
      type="button"
      data-tone="bad"
      disabled={isSending.value}
      title="Ends its processes, by force after its grace; the task is tried again while attempts are left"
      onClick={() => void kill()}
    >
      Stop attempt
    </button>
  );
}

function Processes({ url }: { readonly url: string }) {
  const { value } = useResource<ProcessTreeAnswer>(`${url}/processes`, { everyMs: 2_000 });
  const processes = value?.processes ?? [];
  return (
    <Section title="Processes" count={processes.length}>
      {processes.length > 0 ? <ProcessTree processes={processes} /> : <Empty title={emptyText(value)} />}
    </Section>
  );
}

function emptyText(tree: ProcessTreeAnswer | undefined): string {
  if (!tree) return 'Looking for them …';
  if (tree.host !== null && !tree.local) return `It runs on ${tree.host}, out of sight from here.`;
  return 'It has no process at the moment.';
}
