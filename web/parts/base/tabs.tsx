/** The parts of a page of which one is shown at a time. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

export interface Tab {
  readonly name: string;
  readonly render: () => ComponentChildren;
}

export function Tabs({ label, tabs }: { readonly label: string; readonly tabs: readonly Tab[] }) {
  const chosen = useSignal(tabs[0]?.name ?? '');
  const shown = tabs.find(({ name }) => name === chosen.value) ?? tabs[0];
  return (
    <>
      <div role="tablist" aria-label={label} class="tabs page-tabs">
        {tabs.map(({ name }) => (
          <button
            key={name}
            type="button"
            role="tab"
            aria-selected={name === shown?.name}
            onClick={() => {
              chosen.value = name;
            }}
          >
            {name}
          </button>
        ))}
      </div>
      {shown?.render()}
    </>
  );
}
