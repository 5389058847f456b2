/** Data that a page loads when it is opened, and again after a change. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError, get } from '../api/http.ts';

export interface Resource<Value> {
  /** The newest answer; undefined before the first one. It stays while a newer one is loaded. */
  readonly value: Value | undefined;
  /** Why there is no newer answer. */
  readonly error: ApiError | null;
  readonly reload: () => void;
}

interface Known<Value> {
  readonly path: string | null;
  readonly value?: Value;
  readonly error: ApiError | null;
}

/**
 * Loads a path with GET.
 * @param path null loads nothing
 * @param version loads again if it changes
 * @param everyMs loads again at this interval while the page is visible
 */
export function useResource<Value>(
  path: string | null,
  { version, everyMs }: { version?: unknown; everyMs?: number } = {},
): Resource<Value> {
  const [known, setKnown] = useState<Known<Value>>({ path, error: null });
  const loader = useMemo(
    () => (path === null ? null : new Loader<Value>(path, (update) => setKnown({ ...update, path }))),
    [path],
  );
  useEffect(() => () => loader?.stop(), [loader]);
  useEffect(() => loader?.load(), [loader, version]);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => !document.hidden && loader?.load(), everyMs);
    return () => clearInterval(timer);
  }, [loader, everyMs]);
  const isCurrent = known.path === path;
  return {
    value: isCurrent ? known.value : undefined,
    error: isCurrent ? known.error : null,
    reload: () => loader?.load(),
  };
}

/** Sends one request at a time; a change in the meantime causes one more request. */
class Loader<Value> {
  readonly #path: string;
  readonly #onUpdate: (update: { value?: Value; error: ApiError | null }) => void;
  readonly #stop = new AbortController();
  #state: 'idle' | 'loading' | 'stale' = 'idle';
  #value: Value | undefined;

  constructor(path: string, onUpdate: (update: { value?: Value; error: ApiError | null }) => void) {
    this.#path = path;
    this.#onUpdate = onUpdate;
  }

  load(): void {
    if (this.#state === 'idle') void this.#run();
    else this.#state = 'stale';
  }

  stop(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    do {
      this.#state = 'loading';
      let error: ApiError | null = null;
      try {
        this.#value = await get<Value>(this.#path, this.#stop.signal);
      } catch (failure) {
        if (this.#stop.signal.aborted) return;
        if (!(failure instanceof ApiError)) throw failure;
        error = failure;
      }
      if (this.#stop.signal.aborted) return;
      this.#onUpdate(this.#value === undefined ? { error } : { value: this.#value, error });
    } while (this.#isStale());
    this.#state = 'idle';
  }

  #isStale(): boolean {
    return this.#state === 'stale';
  }
}
