/** Whether the log is whole, and what vouches for it. */
import { useSignal } from '@preact/signals';
import { ApiError, post } from '../api/http.ts';
import type { AuditKeyAnswer, AuditStatus } from '../api/types.ts';
import { Ago, Empty, Facts, Loading, Section, StateBadge, Trouble } from '../parts/base/basics.tsx';
import { counted, moment, number } from '../parts/base/format.ts';
import { notify } from '../parts/base/notices.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { useResource } from '../state/resource.ts';
import { mayNow } from '../state/rights.ts';
import { decider } from '../state/session.ts';

export function AuditPage() {
  const status = useResource<AuditStatus>('/api/audit/status', { everyMs: 1_500 });
  const keys = useResource<{ readonly keys: readonly AuditKeyAnswer[] }>('/api/audit/keys', {
    version: status.value?.keys,
  });
  const { value, error, reload } = status;
  return (
    <div class="page">
      <h1>Audit</h1>
      <PresentOnly what="The log is shown" />
      <p class="dim">
        Every event holds the hash of the one before it; from time to time Signalbox signs the newest. A
        change to any event, or a missing one, is found.
      </p>
      {error && <Trouble error={error} retry={reload} />}
      {!value && !error && <Loading what="the state of the log" />}
      {value && (
        <>
          <Section title="The log">
            <Facts
              rows={[
                ['Events', number(value.sequence)],
                ['Hash of the newest', <code class="hash">{value.head_sha256}</code>],
                [
                  'Signed up to',
                  value.checkpoint === null
                    ? 'nothing is signed yet'
                    : `event ${number(value.checkpoint.sequence)}`,
                ],
                ['Signed', value.checkpoint === null ? null : <Ago time={value.checkpoint.time} />],
                ['Not signed yet', counted(value.unsigned_events, 'event')],
              ]}
            />
          </Section>
          <Verification verification={value.verification} onStart={reload} />
        </>
      )}
      <Section title="Keys" count={keys.value?.keys.length ?? 0}>
        {keys.value?.keys.length === 0 && <Empty title="Nothing is signed." />}
        <ul class="rows">
          {keys.value?.keys.toReversed().map((key, index) => (
            <li class="row" key={key.key}>
              <div class="row-main">
                <code class="hash">{key.key}</code>
                <span class="row-facts dim">
                  {index === 0 ? 'in use' : 'replaced'}, since event {number(key.sequence)},{' '}
                  {moment(key.time)}
                </span>
              </div>
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Take it with you">
        <p>
          <code>signalbox audit export</code> writes a bundle that anybody can verify without Signalbox,{' '}
          <code>signalbox audit report PROJECT/TASK</code> a page about one task.
        </p>
      </Section>
    </div>
  );
}

interface VerificationProps {
  readonly verification: AuditStatus['verification'];
  readonly onStart: () => void;
}

function Verification({ verification, onStart }: VerificationProps) {
  const isSending = useSignal(false);
  const start = async (): Promise<void> => {
    isSending.value = true;
    try {
      await post('/api/audit/verify', decider());
      onStart();
    } catch (error) {
      notify(error instanceof ApiError ? error.message : String(error), 'bad');
    } finally {
      isSending.value = false;
    }
  };
  const isRunning = verification?.state === 'running';
  return (
    <Section
      title="Verification"
      actions={
        mayNow('operate') && (
          <button
            type="button"
            class="strong"
            disabled={isSending.value || isRunning}
            onClick={() => void start()}
          >
            Verify the whole log
          </button>
        )
      }
    >
      {verification === null ? (
        <p class="dim">The log has not been verified since this Signalbox started.</p>
      ) : (
        <div data-verification={verification.state}>
          <p>
            <StateBadge state={verification.state} />{' '}
            {isRunning ? (
              <progress
                max={verification.total}
                value={verification.checked}
                aria-label="Events that were checked"
              />
            ) : (
              <Ago time={verification.ended_at} />
            )}{' '}
            <span class="dim">
              {number(verification.checked)} of {counted(verification.total, 'event')}
            </span>
          </p>
          {verification.finding !== null && (
            <p class="trouble" role="alert">
              {verification.finding.sequence !== null && `Event ${number(verification.finding.sequence)}: `}
              <Line text={verification.finding.message} />
            </p>
          )}
        </div>
      )}
    </Section>
  );
}
