/** The keyboard shortcuts, in a dialog. */
import { PAGES } from '../../pages.tsx';
import { isHelpOpen } from '../../state/keyboard.ts';
import { Dialog } from '../base/dialog.tsx';
import { TASK_DECISIONS } from '../decisions/task-actions.tsx';
import { RAISE_KEY } from '../usage/raise-budget.tsx';

const SHORTCUTS: readonly { readonly keys: readonly string[]; readonly label: string }[] = [
  { keys: ['/'], label: 'Search' },
  { keys: ['j', 'k'], label: 'Next and previous task or row' },
  { keys: ['h', 'l'], label: 'Column to the left and right (board)' },
  { keys: ['Enter'], label: 'Open' },
  { keys: ['c'], label: 'Create a task' },
  { keys: ['⌘K'], label: 'Go to a page, an agent or a task (also Ctrl-K)' },
  ...TASK_DECISIONS.flatMap(({ key, label }) =>
    key === undefined ? [] : { keys: [key], label: `${label} (focused row, or the task of the page)` },
  ),
  { keys: ['e'], label: 'Edit the task of the page; give the attempt of the page more time' },
  { keys: ['y'], label: 'Copy the task of the page' },
  { keys: ['K'], label: 'Stop the attempt of the page' },
  { keys: [RAISE_KEY], label: 'Raise the focused budget' },
  { keys: ['s'], label: 'Select the focused row' },
  { keys: ['*'], label: 'Select all rows of the list' },
  ...PAGES.flatMap(({ title, navigation }) =>
    navigation?.key === undefined ? [] : { keys: ['g', navigation.key], label: title },
  ),
  { keys: ['[', ']'], label: 'One event back or forward in time' },
  { keys: ['p'], label: 'Back to the present' },
  { keys: ['?'], label: 'Show or hide this help' },
  { keys: ['Esc'], label: 'Close a dialog or leave the search' },
];

export function Help() {
  return (
    <Dialog
      title="Keyboard shortcuts"
      onClose={() => {
        isHelpOpen.value = false;
      }}
    >
      <dl class="keys">
        {SHORTCUTS.map(({ keys, label }) => (
          <div key={label}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
      <p class="dim">
        Move the slider at the bottom of the page to see the board as it was at any moment. The API that this
        page uses is documented at <a href="/docs">/docs</a>.
      </p>
    </Dialog>
  );
}
