/**
 * Sums what attempts have used, straight from the events of a log, to check "signalbox usage": it shares no code with it.
 *
 * `nats stream get …`, `signalbox replay` and bundles give events as JSON, one on a line:
 * `node scripts/sum-usage.mjs --by agent [--zone Europe/Berlin] [--until SEQUENCE] < events.jsonl`
 */
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Attempts that never started have used nothing. */
export class UsageSum {
  #by;
  #day;
  #started = new Set();
  /** By name: [attempts, input, output, cache read, cache write, cost in billionths, without tokens, without cost]. */
  rows = new Map();

  /** @param by names of day, project, agent, model, task */
  constructor(by, zone = 'UTC') {
    this.#by = by;
    this.#day = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
  }

  /** @param line an event of the log, as it is stored */
  add(line) {
    const { time, data } = JSON.parse(line);
    const { event } = data;
    const attempt = `${event.project}/${event.task}/${event.attempt}`;
    if (event.type === 'attempt.started') this.#started.add(attempt);
    if (event.type !== 'attempt.ended') return;
    if (!this.#started.delete(attempt) && event.usage === undefined) return;
    const used = event.usage ?? {};
    const isCostKnown = used.cost_usd !== undefined && used.cost_source !== 'unknown';
    const isCounted = used.input_tokens !== undefined && used.output_tokens !== undefined;
    const name = this.#by.map((key) => this.#nameOf(key, event, time)).join(' ');
    const row = this.rows.get(name) ?? [0, 0, 0, 0, 0, 0, 0, 0];
    const more = [
      1,
      used.input_tokens ?? 0,
      used.output_tokens ?? 0,
      used.cache_read_tokens ?? 0,
      used.cache_write_tokens ?? 0,
      isCostKnown ? Math.round(used.cost_usd * 1e9) : 0,
      isCounted ? 0 : 1,
      isCostKnown ? 0 : 1,
    ];
    this.rows.set(
      name,
      row.map((sum, index) => sum + more[index]),
    );
  }

  #nameOf(key, event, time) {
    if (key === 'day') return this.#day.format(new Date(time));
    if (key === 'task') return `${event.project}/${event.task}`;
    if (key === 'model') return event.usage?.model ?? '';
    return event[key];
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      by: { type: 'string', default: 'day' },
      zone: { type: 'string', default: 'UTC' },
      until: { type: 'string' },
    },
  });
  const sum = new UsageSum(values.by.split(','), values.zone);
  let left = Number(values.until ?? Number.POSITIVE_INFINITY);
  for await (const line of createInterface({ input: process.stdin })) {
    if (left-- <= 0) break;
    if (line.trim() !== '') sum.add(line);
  }
  console.log('attempts\tinput\toutput\tcache read\tcache write\tcost\twithout tokens\twithout cost');
  for (const [name, row] of sum.rows)
    console.log([name, ...row.map((value, index) => (index === 5 ? value / 1e9 : value))].join('\t'));
}
