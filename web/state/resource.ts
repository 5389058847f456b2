/** What a page asks for when it is opened, and again when something has changed. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError, get } from '../api/http.ts';

export interface Resource<Value> {
  /** The newest answer; undefined before the first. It stays while a newer one is asked for. */
  readonly value: Value | undefined;
  /** Why there is no newer one. */
  readonly error: ApiError | null;
  readonly reload: () => void;
}

interface Known<Value> {
  readonly path: string | null;
  readonly value?: Value;
  readonly error: ApiError | null;
}

/**
 * @param path null asks for nothing
 * @param version asks again whenever it is another
 * @param everyMs asks again so often, while the page is seen
 */
export function useResource<Value>(
  path: string | null,
  { version, everyMs }: { version?: unknown; everyMs?: number } = {},
): Resource<Value> {
  const [known, setKnown] = useState<Known<Value>>({ path, error: null });
  const asking = useMemo(
    () => (path === null ? null : new Asking<Value>(path, (news) => setKnown({ ...news, path }))),
    [path],
  );
  useEffect(() => () => asking?.stop(), [asking]);
  useEffect(() => asking?.ask(), [asking, version]);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => !document.hidden && asking?.ask(), everyMs);
    return () => clearInterval(timer);
  }, [asking, everyMs]);
  const isCurrent = known.path === path;
  return {
    value: isCurrent ? known.value : undefined,
    error: isCurrent ? known.error : null,
    reload: () => asking?.ask(),
  };
}

/** One question at a time: what changes while it is under way is asked for by the next one. */
class Asking<Value> {
  readonly #path: string;
  readonly #onNews: (news: { value?: Value; error: ApiError | null }) => void;
  readonly #stop = new AbortController();
  #state: 'idle' | 'asking' | 'ask again' = 'idle';
  #value: Value | undefined;

  constructor(path: string, onNews: (news: { value?: Value; error: ApiError | null }) => void) {
    this.#path = path;
    this.#onNews = onNews;
  }

  ask(): void {
    if (this.#state === 'idle') void this.#run();
    else this.#state = 'ask again';
  }

  stop(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    do {
      this.#state = 'asking';
      let error: ApiError | null = null;
      try {
        this.#value = await get<Value>(this.#path, this.#stop.signal);
      } catch (failure) {
        if (this.#stop.signal.aborted) return;
        if (!(failure instanceof ApiError)) throw failure;
        error = failure;
      }
      if (this.#stop.signal.aborted) return;
      this.#onNews(this.#value === undefined ? { error } : { value: this.#value, error });
    } while (this.#isStale());
    this.#state = 'idle';
  }

  #isStale(): boolean {
    return this.#state === 'ask again';
  }
}
