/**
 * Whether a client has cancelled a call. A connection that broke cancels nothing: the client may call again. Nor does a client
 * that gave up after its own time limit: the model is told so, and calls again.
 */
import type { ServerContext } from '@modelcontextprotocol/server';

type Call = ServerContext['mcpReq'];

/**
 * Calls over HTTP that wait. A client cancels one by a request of its own, which names nothing but the number of the call: of
 * two calls with one number and one token, neither is meant for certain.
 */
export class WaitingCalls {
  readonly #byName = new Map<string, Set<AbortController>>();

  begin(caller: string, id: Call['id']): Disposable & { readonly signal: AbortSignal } {
    const name = nameOf(caller, id);
    const controller = new AbortController();
    const calls = (this.#byName.get(name) ?? new Set()).add(controller);
    this.#byName.set(name, calls);
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => {
        calls.delete(controller);
        if (calls.size === 0) this.#byName.delete(name);
      },
    };
  }

  cancel(caller: string, id: Call['id'] | undefined, reason: string | undefined): void {
    const [call, ...others] = id === undefined ? [] : (this.#byName.get(nameOf(caller, id)) ?? []);
    if (others.length === 0) call?.abort(reason);
  }
}

function nameOf(caller: string, id: Call['id']): string {
  return JSON.stringify([caller, id]);
}

/** Whether the client wants no result of the call any more, by the signal of its cancellation. */
export function isCancelled({ aborted, reason }: AbortSignal): boolean {
  // The library gives the reason that the client gave, if it gave one; an error if the connection is closed.
  const isGiven =
    typeof reason === 'string' || (reason instanceof DOMException && reason.name === 'AbortError');
  return aborted && isGiven && !/\btime(?:d)?[ -]?out\b/i.test(String(reason));
}
