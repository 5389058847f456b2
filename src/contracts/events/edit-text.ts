/** The changes of an edit in words, for people. It needs no schema, so that the dashboard can load it. */

interface Change {
  readonly from: unknown;
  readonly to: unknown;
}

/** Longer values are not shown. */
const MAX_SHOWN = 80;
/** Texts of any length, which the task itself shows. */
const LONG: ReadonlySet<string> = new Set(['title', 'description']);

/** As in `description, agent writer → reviewer, priority 5 → 9`. */
export function editText(changes: Readonly<Record<string, Change | undefined>>): string {
  return Object.entries(changes)
    .map(([stored, change]) => {
      const name = stored.replace(/_ms$/, '').replaceAll('_', ' ');
      if (change === undefined || LONG.has(stored)) return name;
      const from = valueText(stored, change.from);
      const to = valueText(stored, change.to);
      return from === null || to === null || from === to ? name : `${name} ${from} → ${to}`;
    })
    .join(', ');
}

/** null if it is not shown. */
function valueText(name: string, value: unknown): string | null {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'number') return name.endsWith('_ms') ? new Date(value).toISOString() : String(value);
  return typeof value === 'string' && value.length <= MAX_SHOWN ? value : null;
}
