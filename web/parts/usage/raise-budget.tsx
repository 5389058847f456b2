/** Raises a budget until its period ends, after a dialog that says what is used. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { budgetUseText, measureText } from '../../../src/contracts/budgets/budget-text.ts';
import { MEASURES, type Measure } from '../../../src/contracts/budgets/measures.ts';
import { path, post } from '../../api/http.ts';
import type { AnswerOf, BudgetAnswer } from '../../api/types.ts';
import { useResource } from '../../state/resource.ts';
import { mayNow } from '../../state/rights.ts';
import { decider } from '../../state/session.ts';
import { Dialog } from '../base/dialog.tsx';
import { DialogForm } from '../base/dialog-form.tsx';
import { moment } from '../base/format.ts';
import { notify } from '../base/notices.tsx';
import { Waiting } from '../base/page.tsx';
import { NameField } from '../frame/name-field.tsx';

/** The key that opens the dialog for the focused row. */
export const RAISE_KEY = 'i';

const LABELS: Readonly<Record<Measure, string>> = {
  tokens: 'Tokens',
  cost_usd: 'US dollars',
  attempts: 'Attempts',
};

interface RaiseBudgetProps {
  readonly id: string;
  readonly onDone?: () => void;
}

/** Renders nothing for users who may not raise it, and while the page shows the past. */
export function RaiseBudget({ id, onDone }: RaiseBudgetProps) {
  const isOpen = useSignal(false);
  if (!mayNow('operate')) return null;
  const close = (): void => {
    isOpen.value = false;
  };
  return (
    <div class="actions">
      <button
        type="button"
        title="Lets attempts start again before the period ends."
        aria-label={`Raise: budget ${id}`}
        aria-keyshortcuts={RAISE_KEY}
        onClick={() => {
          isOpen.value = true;
        }}
      >
        Raise
      </button>
      {isOpen.value && (
        <RaiseDialog
          id={id}
          onClose={close}
          onRaised={() => {
            close();
            onDone?.();
          }}
        />
      )}
    </div>
  );
}

interface RaiseDialogProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onRaised: () => void;
}

function RaiseDialog({ id, onClose, onRaised }: RaiseDialogProps) {
  const resource = useResource<AnswerOf<'listBudgets'>>('/api/budgets');
  const budget = resource.value?.budgets.find((each) => each.id === id);
  return (
    <Dialog title={`Raise: budget ${id}`} onClose={onClose}>
      <Waiting resource={resource} what="the budget" />
      {resource.value && !budget && <p class="trouble">There is no budget {id} any more.</p>}
      {budget && <RaiseForm budget={budget} onClose={onClose} onRaised={onRaised} />}
    </Dialog>
  );
}

function RaiseForm({
  budget,
  onClose,
  onRaised,
}: Omit<RaiseDialogProps, 'id'> & { readonly budget: BudgetAnswer }) {
  const { id, limits, until, holds } = budget;
  const fields = useRef<HTMLDivElement>(null);
  useEffect(() => fields.current?.querySelector('input')?.focus(), []);
  const given = useSignal<Partial<Record<Measure, string>>>({});
  const comment = useSignal('');
  const send = async (): Promise<void> => {
    const entered = MEASURES.flatMap((measure) => {
      const text = given.value[measure]?.trim() ?? '';
      return text === '' ? [] : [[measure, Number(text)] as const];
    });
    if (entered.length === 0) throw new Error('Enter a higher limit.');
    const why = comment.value.trim();
    const body = { ...Object.fromEntries(entered), ...decider(), ...(why !== '' && { comment: why }) };
    const raised = await post<BudgetAnswer>(path`/api/budgets/${id}/raise`, body);
    notify(`Budget ${id} is raised: ${budgetUseText(raised)} until ${moment(raised.until)}.`);
    onRaised();
  };
  return (
    <DialogForm label="Raise" send={send} onClose={onClose}>
      <p>Used: {budgetUseText(budget)}.</p>
      <p class="dim">
        The new limits hold until the period ends: {moment(until)}.{' '}
        {holds && 'Attempts that it holds back start at once. '}
        To raise it for good, change the configuration.
      </p>
      <div ref={fields} class="form">
        {MEASURES.map((measure) => {
          const limit = limits[measure];
          if (limit === undefined) return null;
          return (
            <label key={measure}>
              {LABELS[measure]}, more than {measureText(measure, limit)}
              <input
                type="number"
                min={0}
                step={measure === 'cost_usd' ? 'any' : 1}
                inputMode="decimal"
                value={given.value[measure] ?? ''}
                onInput={({ currentTarget: { value } }) => {
                  given.value = { ...given.value, [measure]: value };
                }}
              />
            </label>
          );
        })}
      </div>
      <label>
        Comment (optional)
        <textarea
          rows={2}
          value={comment.value}
          onInput={(event) => {
            comment.value = event.currentTarget.value;
          }}
        />
      </label>
      <NameField />
    </DialogForm>
  );
}
