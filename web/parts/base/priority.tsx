/** The priority of a task. */

/** Not shown on cards and in lists. */
export const DEFAULT_PRIORITY = 5;

export function Priority({ value }: { readonly value: number }) {
  return (
    <span class="priority" title={`Priority ${value} of 10`}>
      P{value}
    </span>
  );
}
