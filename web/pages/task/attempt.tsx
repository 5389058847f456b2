/** One attempt: its processes, its log, and how it ended. */
import { useRoute } from 'preact-iso';
import { killText } from '../../../src/contracts/processes/kill-text.ts';
import { attemptCostText } from '../../../src/contracts/usage-text.ts';
import { path } from '../../api/http.ts';
import type { AnswerOf, AttemptAnswer } from '../../api/types.ts';
import { LogView, type Stream } from '../../parts/attempt/log-view.tsx';
import { ProcessTree } from '../../parts/attempt/process-tree.tsx';
import { TranscriptView } from '../../parts/attempt/transcript-view.tsx';
import { Ago, Empty, Facts, Section, StateBadge } from '../../parts/base/basics.tsx';
import { Diagram } from '../../parts/base/diagram.tsx';
import { bytes, duration, moment, number, spoken } from '../../parts/base/format.ts';
import { agentHref, taskHref } from '../../parts/base/links.tsx';
import { Page, Waiting } from '../../parts/base/page.tsx';
import { PresentOnly } from '../../parts/base/present-only.tsx';
import { Block, Line } from '../../parts/base/safe-text.tsx';
import { type Tab, Tabs } from '../../parts/base/tabs.tsx';
import { AttemptActions } from '../../parts/decisions/attempt-actions.tsx';
import { LastError } from '../../parts/task/last-error.tsx';
import { board } from '../../state/board.ts';
import { keyOf } from '../../state/cards.ts';
import { useResource } from '../../state/resource.ts';

export function AttemptPage() {
  const { project = '', task: id = '', attempt: attemptNumber = '' } = useRoute().params;
  const task = { project, id };
  const ref = { project, task: id, attempt: Number(attemptNumber) };
  const card = board.value?.cards.get(keyOf(task));
  const version = `${card?.sequence} ${card?.attempt_status}`;
  const url = path`/api/projects/${project}/tasks/${id}/attempts/${attemptNumber}`;
  const resource = useResource<AttemptAnswer>(url, { version });
  const attempt = resource.value;
  if (!attempt) {
    return (
      <Page title={`${keyOf(task)}, attempt ${attemptNumber}`}>
        <Waiting resource={resource} what="the attempt" />
      </Page>
    );
  }
  return (
    <Page
      above={<a href={taskHref(task)}>{keyOf(task)}</a>}
      title={
        <>
          Attempt {attempt.attempt} <span class="dim">by {attempt.agent}</span>
        </>
      }
      actions={
        <>
          <StateBadge state={attempt.status} />
          <AttemptActions {...ref} status={attempt.status} onDone={resource.reload} />
        </>
      }
    >
      <PresentOnly />
      <LastError attempt={attempt} />
      <Tabs
        label="Parts of the attempt"
        tabs={[
          ...tabsOf(url, attempt),
          {
            name: 'State machine',
            render: () => <Diagram machine="attempt" state={attempt.outcome ?? attempt.status} />,
          },
        ]}
      />
    </Page>
  );
}

/** What an agent says comes first; other programs have their log. */
function tabsOf(url: string, attempt: AttemptAnswer): readonly Tab[] {
  const overview = { name: 'Overview', render: () => <Overview url={url} attempt={attempt} /> };
  const transcript = { name: 'Transcript', render: () => <TranscriptView url={`${url}/transcript`} /> };
  const speaks = attempt.transcript_format !== undefined && attempt.transcript_format !== 'text';
  return speaks ? [transcript, overview] : [overview, transcript];
}

function Overview({ url, attempt }: { readonly url: string; readonly attempt: AttemptAnswer }) {
  return (
    <div class="columns-2">
      <div>
        {attempt.ended_at === null && <Processes url={url} />}
        <Section title="Log">
          <LogView url={`${url}/log`} first={firstStream(attempt)} />
        </Section>
        <RejectedMessages messages={attempt.rejected_messages} />
      </div>
      <Aside attempt={attempt} />
    </div>
  );
}

/** The stream that says what went wrong: standard error of a failed attempt, unless it is empty. */
function firstStream({ error, stderr_tail: stderr }: AttemptAnswer): Stream {
  return error !== null && stderr !== null && stderr.trim() !== '' ? 'stderr' : 'stdout';
}

function Aside({ attempt }: { readonly attempt: AttemptAnswer }) {
  return (
    <aside>
      <Section title="Facts">
        <Details attempt={attempt} />
      </Section>
      {attempt.evidence !== null && <Evidence evidence={attempt.evidence} />}
    </aside>
  );
}

function Evidence({ evidence }: { readonly evidence: NonNullable<AttemptAnswer['evidence']> }) {
  const kill = killText(evidence, duration);
  return (
    <Section title="Evidence of the end">
      <p>{kill === null ? 'No signal was sent to its processes.' : `It was ${kill}.`}</p>
      <details>
        <summary>As recorded</summary>
        <Block text={JSON.stringify(evidence)} label="Evidence" />
      </details>
    </Section>
  );
}

function RejectedMessages({ messages }: { readonly messages: AttemptAnswer['rejected_messages'] }) {
  if (messages.length === 0) return null;
  return (
    <Section title="Rejected messages" count={messages.length}>
      <ul class="plain">
        {messages.map(({ message, reason, time }) => (
          <li key={time + message}>
            {message}: <Line text={reason} />{' '}
            <span class="dim">
              <Ago time={time} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Formats a value; null if there is none. */
function shown<Value>(value: Value | null | undefined, format: (value: Value) => string): string | null {
  return value === null || value === undefined ? null : format(value);
}

function Details({ attempt }: { readonly attempt: AttemptAnswer }) {
  const { usage, command, deadline, ended_at } = attempt;
  return (
    <Facts
      rows={[
        ['Agent', <a href={agentHref(attempt.agent)}>{attempt.agent}</a>],
        ['Driver', attempt.driver],
        ['Command', command && <code>{command.join(' ')}</code>],
        ['Host', attempt.host],
        ['Process', shown(attempt.pid, String)],
        ['Session', attempt.session],
        ['Claimed', moment(attempt.claimed_at)],
        ['Started', shown(attempt.started_at, moment)],
        ['Ended', shown(ended_at, moment)],
        ['Duration', shown(attempt.duration_ms, duration)],
        ['Deadline', deadline !== null && ended_at === null ? <Ago time={deadline} /> : null],
        ['Stop reason', shown(attempt.stop_reason, spoken)],
        ['Exit code', shown(attempt.exit_code, String)],
        ['Signal', attempt.signal],
        ['CPU time', shown(attempt.cpu_ms, duration)],
        ['Peak memory', shown(attempt.peak_memory_bytes, bytes)],
        ['Model', shown(usage?.model, String)],
        ['Input tokens', shown(usage?.input_tokens, number)],
        ['of them cached', shown(usage?.cache_read_tokens, number)],
        ['written to the cache', shown(usage?.cache_write_tokens, number)],
        ['Output tokens', shown(usage?.output_tokens, number)],
        ['Cost', attemptCostText(attempt)],
        ['Transcript', shown(attempt.transcript, transcriptText)],
      ]}
    />
  );
}

function transcriptText({ bytes: size, lines, sha256 }: NonNullable<AttemptAnswer['transcript']>): string {
  return `${bytes(size)}, ${number(lines)} lines, SHA-256 ${sha256}`;
}

function Processes({ url }: { readonly url: string }) {
  const { value } = useResource<AnswerOf<'readProcessTree'>>(`${url}/processes`, { everyMs: 2_000 });
  const processes = value?.processes ?? [];
  return (
    <Section title="Processes" count={processes.length}>
      {processes.length > 0 ? <ProcessTree processes={processes} /> : <Empty title={emptyText(value)} />}
    </Section>
  );
}

function emptyText(tree: AnswerOf<'readProcessTree'> | undefined): string {
  if (!tree) return 'Loading…';
  if (tree.host !== null && !tree.local)
    return `Runs on ${tree.host}: its processes cannot be seen from here.`;
  return 'No process at the moment.';
}
