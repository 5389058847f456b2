/** Runs past times of a schedule. */
import { useSignal } from '@preact/signals';
import { path, post } from '../../api/http.ts';
import type { AnswerOf } from '../../api/types.ts';
import { Dialog } from '../base/dialog.tsx';
import { DialogForm } from '../base/dialog-form.tsx';
import { counted, ZONE } from '../base/format.ts';
import { notify } from '../base/notices.tsx';

interface BackfillProps {
  readonly id: string;
  readonly onDone: () => void;
}

const DAY_MS = 86_400_000;

/** As a field for a time of this browser's zone takes it. */
function localText(time: number): string {
  return new Date(time).toLocaleString('sv-SE', { timeZone: ZONE }).slice(0, 16).replace(' ', 'T');
}

export function Backfill({ id, onDone }: BackfillProps) {
  const isOpen = useSignal(false);
  return (
    <>
      <button
        type="button"
        title="Runs past times that have no task."
        aria-label={`Backfill: schedule ${id}`}
        onClick={() => {
          isOpen.value = true;
        }}
      >
        Backfill
      </button>
      {isOpen.value && (
        <BackfillDialog
          id={id}
          onDone={onDone}
          onClose={() => {
            isOpen.value = false;
          }}
        />
      )}
    </>
  );
}

function BackfillDialog({ id, onDone, onClose }: BackfillProps & { readonly onClose: () => void }) {
  const from = useSignal(localText(Date.now() - DAY_MS));
  const until = useSignal(localText(Date.now()));
  const send = async (): Promise<void> => {
    const { added, known } = await post<AnswerOf<'backfillSchedule'>>(path`/api/schedules/${id}/backfill`, {
      from: new Date(from.value).toISOString(),
      until: new Date(until.value).toISOString(),
    });
    notify(`Schedule ${id}: ${counted(added, 'time')} added, ${known} had a task already.`);
    onDone();
    onClose();
  };
  return (
    <Dialog title={`Backfill: schedule ${id}`} onClose={onClose}>
      <DialogForm label="Backfill" send={send} onClose={onClose}>
        <p class="dim">
          Runs the times of this range that have no task, one after the other (at once with the overlap policy
          allow all). Times are those of {ZONE}.
        </p>
        <Field label="From" value={from} />
        <Field label="Until" value={until} />
      </DialogForm>
    </Dialog>
  );
}

function Field({ label, value }: { readonly label: string; readonly value: { value: string } }) {
  return (
    <label>
      {label}
      <input
        type="datetime-local"
        required
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
      />
    </label>
  );
}
