/** What callers were told: the promises that the log has to keep. */
export class Ledger {
  /** Title of each task whose creation was answered, by id. */
  readonly created = new Map<string, string>();
  /** Texts of commands that were answered as done. */
  readonly done = new Set<string>();
  /** Texts of commands that were refused as such: nothing of them may be in the log. */
  readonly refused = new Set<string>();
  /** Requests without an answer, or with the answer "not now": their outcome is unknown. */
  unanswered = 0;

  /** @param status 0 if there was no answer */
  note(text: string, status: number): void {
    if (status >= 200 && status < 300) this.done.add(text);
    else if (status >= 400 && status < 429) this.refused.add(text);
    else this.unanswered++;
  }
}
