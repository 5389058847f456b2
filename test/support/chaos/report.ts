/** What a run of chaos came to, for people. */
import type { ChaosResult } from './chaos.ts';
import type { Takeover } from './stage.ts';

export function reportOf(results: readonly ChaosResult[]): string {
  const count = results.reduce((sum, { violations }) => sum + violations.length, 0);
  const verdict = count === 0 ? 'No violation.' : `**${count} violations.**`;
  return `${['# Chaos', verdict, ...results.map(sectionOf)].join('\n\n')}\n`;
}

function sectionOf(result: ChaosResult): string {
  const { mode, seed, seconds, log, takeovers, ends, violations } = result;
  const rows: [string, string][] = [
    ['nats-server', result.natsServer],
    ['blows', listOf(result.blows)],
    ['tasks created', `${result.created}: ${listOf(log.tasks)}`],
    ['attempts', listOf(log.attempts)],
    ['agents that noted their start', String(result.runs)],
    ['commands', `${result.commands} done, ${result.refused} refused, ${result.unanswered} unanswered`],
    ['events in the log', `${log.events}, of ${log.writers} writers`],
    [
      'after the last blow',
      `ready after ${result.readySeconds.toFixed(1)} s, all at rest after ${result.restSeconds.toFixed(1)} s`,
    ],
  ];
  if (takeovers.length > 0) rows.push(['takeovers by the standby', takeoverText(takeovers)]);
  return [
    `## ${mode === 'embedded' ? 'One Signalbox, embedded nats-server' : 'A leader and a standby, external nats-server'}`,
    `${seconds} s, seed ${seed} (the same seed gives the same plan of blows and requests; what they meet is up to the machine)`,
    ['| what | |', '| --- | --- |', ...rows.map(([what, text]) => `| ${what} | ${text} |`)].join('\n'),
    ...(ends.length > 0 ? [`Ended by themselves:\n\n${bullets(countOf(ends))}`] : []),
    ...(violations.length > 0 ? [`Violations:\n\n${bullets(violations)}`] : []),
  ].join('\n\n');
}

function takeoverText(takeovers: readonly Takeover[]): string {
  const [alone, disturbed] = [false, true].map((kind) =>
    takeovers.filter((each) => each.disturbed === kind).map(({ milliseconds }) => milliseconds),
  );
  return `${spreadOf(alone ?? [])}; while nats-server was hit, too: ${spreadOf(disturbed ?? [])}`;
}

function spreadOf(milliseconds: readonly number[]): string {
  if (milliseconds.length === 0) return 'none';
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    `${((sorted[Math.floor(part * (sorted.length - 1))] ?? 0) / 1_000).toFixed(1)} s`;
  return `${sorted.length}, median ${at(0.5)}, longest ${at(1)}`;
}

function listOf(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return parts.map(([what, count]) => `${what} ${count}`).join(', ') || 'none';
}

/** Equal ones in one line. */
function countOf(lines: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const alike = line.replaceAll(/process \d+|\d{4}-\d\d-\d\dT[\d:.]+Z|sequence \d+|pid \d+/g, '…');
    counts.set(alike, (counts.get(alike) ?? 0) + 1);
  }
  return [...counts].map(([line, count]) => `${count} × ${line}`);
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line.replaceAll('\n', ' ')}`).join('\n');
}
