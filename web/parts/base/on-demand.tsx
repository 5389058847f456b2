/** Parts of the dashboard that are loaded when they are shown for the first time. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { reasonOf } from '../../api/http.ts';
import { Loading } from './basics.tsx';

/** @param load is called once, and again after a failure */
export function onDemand<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let Loaded: ComponentType<Props> | null = null;
  return function OnDemand(props: Props) {
    const [trouble, setTrouble] = useState<string | null>(null);
    const [tries, setTries] = useState(0);
    const [, show] = useState(false);
    useEffect(() => {
      if (Loaded !== null) return;
      load().then(
        (component) => {
          Loaded = component;
          show(true);
        },
        (error: unknown) => setTrouble(reasonOf(error)),
      );
    }, [tries]);
    if (Loaded !== null) return <Loaded {...props} />;
    if (trouble === null) return <Loading what="the page" />;
    return (
      <div class="trouble" role="alert">
        <p>A part of the page cannot be loaded: {trouble}</p>
        <p class="dim">After an update of Signalbox, load the page again.</p>
        <button
          type="button"
          onClick={() => {
            setTrouble(null);
            setTries(tries + 1);
          }}
        >
          Try again
        </button>
      </div>
    );
  };
}
