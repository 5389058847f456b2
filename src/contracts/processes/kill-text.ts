/** The evidence of a kill as one sentence: for the command line and the dashboard. It has no schema, which pages would load. */

interface Signal {
  readonly signal: string;
  readonly to: string;
}

interface Process {
  readonly pid: number;
  readonly foundBy: string;
}

type Evidence = Readonly<Record<string, unknown>>;

/**
 * As in `stopped in 1.1 s: SIGTERM to the group, 2 × SIGKILL; 2 processes found: 7 (group), 8 (tree); none left …`.
 * @param duration writes milliseconds
 * @returns null if no signal was sent
 */
export function killText(evidence: Evidence | null, duration: (ms: number) => string): string | null {
  if (evidence === null || numberOf(evidence, 'signalCount') === 0) return null;
  const signals = listOf(evidence, 'signals', isSignal);
  const counts = new Map<string, number>();
  for (const { signal, to } of signals) {
    const name = to === 'process' ? signal : `${signal} to the ${to}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const sent = [...counts].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`)).join(', ');
  const pids = listOf(evidence, 'processes', isProcess).map(({ pid, foundBy }) => `${pid} (${foundBy})`);
  const left = leftText(evidence);
  const time = duration(numberOf(evidence, 'endedAt') - numberOf(evidence, 'startedAt'));
  return `stopped in ${time}: ${sent}; ${numberOf(evidence, 'processCount')} processes found: ${pids.join(', ')}; ${left} after ${numberOf(evidence, 'rounds')} scans`;
}

/** What a kill has left, as far as it is known. Evidence of 0.1.0 has no containment: its 0 only says that none was found. */
export function leftText({ survivors, containment }: Evidence): string {
  if (typeof survivors === 'number' && survivors > 0) return `${survivors} LEFT`;
  const isProved = survivors === 0 && containment !== undefined && containment !== 'search';
  return isProved ? 'none left' : 'none found, which does not prove that none is left';
}

function numberOf(evidence: Evidence, name: string): number {
  const value = evidence[name];
  return typeof value === 'number' ? value : 0;
}

function listOf<Item>(evidence: Evidence, name: string, is: (value: unknown) => value is Item): Item[] {
  const value = evidence[name];
  return Array.isArray(value) ? value.filter(is) : [];
}

function isSignal(value: unknown): value is Signal {
  return has(value, 'signal') && has(value, 'to');
}

function isProcess(value: unknown): value is Process {
  return has(value, 'pid') && has(value, 'foundBy');
}

function has(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && name in value;
}
