/** What was thrown, as text and as a system error code. */

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Whether a call of Node failed with this code, for example `ENOENT`. Errors of node:vm are of another realm. */
export function hasCode(thrown: unknown, code: string): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === code;
}

/** Why a `fetch` with a time limit failed, after the name of the server: "did not answer within 10 seconds". */
export function fetchFailure(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `did not answer within ${timeoutMs / 1_000} seconds`;
  }
  // `fetch` itself only says that it failed; the reason is in the cause.
  const cause = error instanceof Error ? error.cause : undefined;
  return `cannot be reached: ${messageOf(cause ?? error)}`;
}
