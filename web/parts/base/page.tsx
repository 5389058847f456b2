/** The frame of one page: its heading, what can be done there, and its sections. */
import type { ComponentChildren } from 'preact';
import type { Resource } from '../../state/resource.ts';
import { Loading, Trouble } from './basics.tsx';

/** What every page gets from its row in the table of pages. */
export interface PageProps {
  readonly title: string;
}

export interface PageFrameProps {
  readonly title: ComponentChildren;
  /** Above the title, in small letters. */
  readonly above?: ComponentChildren;
  /** At the right of the title. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Page({ title, above, actions, children }: PageFrameProps) {
  return (
    <div class="page">
      <header class="page-head">
        <div>
          {above && <p class="mono dim">{above}</p>}
          <h1>{title}</h1>
        </div>
        {actions && <div class="head-state">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** Shown until the first answer arrives: a note that it is loading, or why there is no answer. */
export function Waiting<Value>({
  resource,
  what,
}: {
  readonly resource: Resource<Value>;
  readonly what: string;
}) {
  const { value, error, reload } = resource;
  if (error) return <Trouble error={error} retry={reload} />;
  return value === undefined ? <Loading what={what} /> : null;
}
