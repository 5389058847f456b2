/** The palette: pages, actions and tasks, found by typing. */
import { useSignal } from '@preact/signals';
import { useLocation } from 'preact-iso';
import type { TemplateAnswer, TemplateList } from '../../api/types.ts';
import { PAGES } from '../../pages.tsx';
import { board } from '../../state/board.ts';
import { keyOf } from '../../state/cards.ts';
import { isHelpOpen, isPaletteOpen, NEW_TASK_PATH } from '../../state/keyboard.ts';
import { goLive } from '../../state/past.ts';
import { useResource } from '../../state/resource.ts';
import { nextTheme } from '../../state/theme.ts';
import { Dialog } from '../base/dialog.tsx';
import { agentHref, taskHref } from '../base/links.tsx';
import { Line } from '../base/safe-text.tsx';

interface Entry {
  readonly key: string;
  readonly label: string;
  readonly about: string;
  readonly run: (route: (path: string) => void) => void;
}

const MAX_ENTRIES = 12;

const goTo =
  (path: string): Entry['run'] =>
  (route) =>
    route(path);

function entries(templates: readonly TemplateAnswer[]): Entry[] {
  const pages = PAGES.filter(({ navigation }) => navigation).map(
    ({ path, title }): Entry => ({ key: path, label: title, about: 'page', run: goTo(path) }),
  );
  const actions: Entry[] = [
    { key: 'new', label: 'Create a task', about: 'action', run: goTo(NEW_TASK_PATH) },
    { key: 'present', label: 'Back to the present', about: 'action', run: goLive },
    { key: 'theme', label: 'Change the theme', about: 'action', run: nextTheme },
    {
      key: 'help',
      label: 'Keyboard shortcuts',
      about: 'action',
      run: () => {
        isHelpOpen.value = true;
      },
    },
  ];
  const agents = (board.value?.agents ?? []).map(
    ({ id }): Entry => ({ key: `agent ${id}`, label: id, about: 'agent', run: goTo(agentHref(id)) }),
  );
  const tasks = [...(board.value?.cards.values() ?? [])].map(
    (card): Entry => ({ key: keyOf(card), label: card.title, about: keyOf(card), run: goTo(taskHref(card)) }),
  );
  const fromTemplates = templates.map(
    ({ id, about }): Entry => ({
      key: `template ${id}`,
      label: `Create a task: ${id}`,
      about: about === '' ? 'template' : about,
      run: goTo(`${NEW_TASK_PATH}?template=${encodeURIComponent(id)}`),
    }),
  );
  return [...actions, ...fromTemplates, ...pages, ...agents, ...tasks];
}

/** The entries that have all words; those that begin with the first word come first. */
export function matching(all: readonly Entry[], typed: string): readonly Entry[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const [first = ''] = words;
  return all
    .filter(({ label, about }) => words.every((word) => `${label} ${about}`.toLowerCase().includes(word)))
    .map((entry, index) => ({
      entry,
      place: entry.label.toLowerCase().startsWith(first) ? index : index + all.length,
    }))
    .sort((a, b) => a.place - b.place)
    .slice(0, MAX_ENTRIES)
    .map(({ entry }) => entry);
}

export function Palette() {
  const { route } = useLocation();
  const typed = useSignal('');
  const at = useSignal(0);
  const { value } = useResource<TemplateList>('/api/templates');
  const found = matching(entries(value?.templates ?? []), typed.value);
  const close = (): void => {
    isPaletteOpen.value = false;
  };
  const run = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    close();
    entry.run(route);
  };
  return (
    <Dialog title="Go to" onClose={close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          run(found[at.value]);
        }}
      >
        <input
          autoFocus
          role="combobox"
          aria-label="Page, action, agent or task"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={found.length > 0 ? `palette-${at.value}` : undefined}
          autocomplete="off"
          value={typed.value}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
            at.value = 0;
          }}
          onKeyDown={(event) => {
            const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
            if (by === 0) return;
            event.preventDefault();
            at.value = Math.max(0, Math.min(found.length - 1, at.value + by));
          }}
        />
        <div id="palette-list" class="palette" role="listbox" aria-label="Found">
          {found.map((entry, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the input above has the focus and the keys.
            <div
              key={entry.key}
              id={`palette-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === at.value}
              onClick={() => run(entry)}
            >
              <Line text={entry.label} /> <span class="dim">{entry.about}</span>
            </div>
          ))}
        </div>
        {found.length === 0 && <p class="dim">Nothing found.</p>}
      </form>
    </Dialog>
  );
}
