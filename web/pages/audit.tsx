/** Whether the log is complete and unchanged, and the keys that it is signed with. */
import { post } from '../api/http.ts';
import type { AnswerOf, AuditStatus } from '../api/types.ts';
import { ActionButton } from '../parts/base/action-button.tsx';
import { Ago, Empty, Facts, Section, StateBadge } from '../parts/base/basics.tsx';
import { counted, moment, number } from '../parts/base/format.ts';
import { Page, type PageProps, Waiting } from '../parts/base/page.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { useResource } from '../state/resource.ts';
import { mayNow } from '../state/rights.ts';
import { decider } from '../state/session.ts';

export function AuditPage({ title }: PageProps) {
  const status = useResource<AuditStatus>('/api/audit/status', { everyMs: 1_500 });
  const keys = useResource<AnswerOf<'listAuditKeys'>>('/api/audit/keys', {
    version: status.value?.keys,
  });
  return (
    <Page title={title}>
      <PresentOnly />
      <p class="dim">
        Every event contains the hash of the previous one, and Signalbox signs the newest event at intervals.
        A changed or missing event is therefore detected.
      </p>
      <Waiting resource={status} what="the state of the log" />
      {status.value && (
        <>
          <LogFacts status={status.value} />
          <Integrity integrity={status.value.integrity} />
          <Verification verification={status.value.verification} onStart={status.reload} />
        </>
      )}
      <Keys keys={keys.value?.keys ?? null} />
      <Section title="Export">
        <p>
          <code>signalbox audit export</code> writes a bundle that can be verified without Signalbox.{' '}
          <code>signalbox audit report PROJECT/TASK</code> writes a report about one task.
        </p>
      </Section>
    </Page>
  );
}

function LogFacts({ status }: { readonly status: AuditStatus }) {
  const { sequence, head_sha256, checkpoint, unsigned_events } = status;
  return (
    <Section title="The log">
      <Facts
        rows={[
          ['Events', number(sequence)],
          ['Newest hash', <code class="hash">{head_sha256}</code>],
          ['Signed up to', checkpoint === null ? 'not signed yet' : `event ${number(checkpoint.sequence)}`],
          ['Signed', checkpoint === null ? null : <Ago time={checkpoint.time} />],
          ['Not signed yet', counted(unsigned_events, 'event')],
        ]}
      />
    </Section>
  );
}

/** What Signalbox checks by itself, all the time. */
function Integrity({ integrity }: { readonly integrity: AuditStatus['integrity'] }) {
  const { state, finding, verified, total, passed_at, counted_at } = integrity;
  return (
    <Section title="Checked all the time">
      <div data-integrity={state}>
        <Facts
          rows={[
            ['State', <StateBadge state={state} />],
            ['Events counted', <Ago time={counted_at} />],
            ['Whole log verified', passed_at === null ? 'not yet' : <Ago time={passed_at} />],
            ['Being verified', `event ${number(verified)} of ${number(total)}`],
          ]}
        />
        {finding !== null && (
          <p class="trouble" role="alert">
            {finding.sequence !== null && `Event ${number(finding.sequence)}: `}
            <Line text={finding.message} />
          </p>
        )}
      </div>
    </Section>
  );
}

/** @param keys the oldest first; null until they are loaded */
function Keys({ keys }: { readonly keys: AnswerOf<'listAuditKeys'>['keys'] | null }) {
  return (
    <Section title="Keys" count={keys?.length ?? 0}>
      {keys?.length === 0 && <Empty title="No signing keys: the log is not signed." />}
      <ul class="rows">
        {keys?.toReversed().map(({ key, sequence, time }, index) => (
          <li class="row" key={key}>
            <div class="row-main">
              <code class="hash">{key}</code>
              <span class="row-facts dim">
                {index === 0 ? 'in use' : 'replaced'}, since event {number(sequence)}, {moment(time)}
              </span>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

interface VerificationProps {
  readonly verification: AuditStatus['verification'];
  readonly onStart: () => void;
}

function Verification({ verification, onStart }: VerificationProps) {
  const isRunning = verification?.state === 'running';
  const start = async (): Promise<void> => {
    await post('/api/audit/verify', decider());
    onStart();
  };
  const button = mayNow('operate') && (
    <ActionButton class="strong" disabled={isRunning} action={start}>
      Verify the whole log
    </ActionButton>
  );
  if (verification === null) {
    return (
      <Section title="Verification" actions={button}>
        <p class="dim">The log has not been verified since Signalbox started.</p>
      </Section>
    );
  }
  const { state, checked, total, ended_at, finding } = verification;
  return (
    <Section title="Verification" actions={button}>
      <div data-verification={state}>
        <p>
          <StateBadge state={state} />{' '}
          {isRunning ? (
            <progress max={total} value={checked} aria-label="Verified events" />
          ) : (
            <Ago time={ended_at} />
          )}{' '}
          <span class="dim">
            {number(checked)} of {counted(total, 'event')}
          </span>
        </p>
        {finding !== null && (
          <p class="trouble" role="alert">
            {finding.sequence !== null && `Event ${number(finding.sequence)}: `}
            <Line text={finding.message} />
          </p>
        )}
      </div>
    </Section>
  );
}
