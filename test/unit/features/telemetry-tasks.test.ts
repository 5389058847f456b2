/** Spans of the recorded histories. */
import { afterAll, describe, expect, it } from 'vitest';
import type { StoredRecord } from '../../../src/contracts/events/events.ts';
import { type TaskRef, taskKey } from '../../../src/contracts/ids.ts';
import { SETTLED_STATES } from '../../../src/contracts/tasks.ts';
import { readRecords } from '../../../src/engine/replay/event-source.ts';
import { fileSource } from '../../../src/engine/replay/file-source.ts';
import { taskTrace } from '../../../src/engine/runtime/task-trace.ts';
import type { Span } from '../../../src/features/telemetry/span.ts';
import { type BuilderLimits, SpanBuilders } from '../../../src/features/telemetry/span-builders.ts';
import { TaskSpanBuilder } from '../../../src/features/telemetry/task-span.ts';
import { goldenHistories } from '../../support/histories/golden.ts';

const HISTORIES = await goldenHistories();
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

async function recordsOf(file: string): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const record of readRecords(fileSource(file))) records.push(record);
  return records;
}

/** How often a span builder was rebuilt from the log. */
let reads = 0;
afterAll(() => expect(reads).toBeGreaterThan(100));

/** @param from as after a restart: earlier records are in the log only */
async function spansOf(records: readonly StoredRecord[], limits?: BuilderLimits, from = 0): Promise<Span[]> {
  async function* history(task: TaskRef): AsyncIterable<StoredRecord> {
    reads++;
    for (const record of records) {
      const { event } = record;
      if ('task' in event && taskKey(event) === taskKey(task)) yield record;
    }
  }
  const builders = new SpanBuilders({ log: { history } }, limits);
  const spans: Span[] = [];
  for (const record of records.filter(({ sequence }) => sequence > from)) {
    spans.push(...(await builders.add(record)));
  }
  return spans;
}

const settlements = ({ transitions }: StoredRecord): number =>
  transitions.filter(
    ({ entity, from, to }) => entity === 'task' && SETTLED_STATES.has(to) && !SETTLED_STATES.has(from ?? ''),
  ).length;

describe.each(HISTORIES)('$name', ({ file }) => {
  it('has one span for each ended attempt, and for each time that a task settled', async () => {
    const records = await recordsOf(file);
    const spans = await spansOf(records);
    const ended = records.filter(({ event }) => event.type === 'attempt.ended');
    const settled = records.reduce((sum, record) => sum + settlements(record), 0);
    expect(spans.filter(({ kind }) => kind === 'client')).toHaveLength(ended.length);
    expect(spans.filter(({ kind }) => kind === 'internal')).toHaveLength(settled);
    expect(new Set(spans.map(({ context }) => context.spanId)).size).toBe(spans.length);
    for (const span of spans) expect(span.end).toBeGreaterThanOrEqual(span.start);
  });

  it('has the same spans if memory has space for one builder', async () => {
    const records = await recordsOf(file);
    const all = await spansOf(records);
    if (all.length === 0) return;
    expect(await spansOf(records, { open: 1, over: 0 })).toEqual(all);
  });

  it('has the same spans after a restart at any moment', async () => {
    const records = await recordsOf(file);
    const all = await spansOf(records);
    const counts = new Map<number, number>();
    const builders = new SpanBuilders({ log: { history: async function* () {} } });
    for (const record of records) {
      const { length } = await builders.add(record);
      counts.set(record.sequence, (counts.get(record.sequence) ?? 0) + length);
    }
    const step = Math.ceil(records.length / 25);
    for (let from = 1; from < records.length; from += step) {
      const sent = [...counts]
        .filter(([sequence]) => sequence <= from)
        .reduce((sum, [, count]) => sum + count, 0);
      if (sent === 0 || sent === all.length) continue;
      expect(await spansOf(records, undefined, from)).toEqual(all.slice(sent));
    }
  });

  it('has no spans of unsampled traces, and finishes their builders', async () => {
    const records = (await recordsOf(file)).map((record): StoredRecord => {
      const { event } = record;
      if (event.type !== 'task.created') return record;
      return { ...record, event: { ...event, spec: { ...event.spec, traceparent: UNSAMPLED } } };
    });
    const builders = new Map<string, TaskSpanBuilder>();
    for (const record of records) {
      const { event } = record;
      if (!('task' in event)) continue;
      if (event.type !== 'task.created') {
        expect(builders.get(event.task)?.add(record)).toEqual([]);
        continue;
      }
      const trace = taskTrace({ ...event, id: event.task, createdAt: record.time }, null);
      builders.set(event.task, new TaskSpanBuilder(event, record, trace, { links: [], droppedLinks: 0 }));
    }
    const settled = new Map(
      records.flatMap(({ event, transitions }) =>
        transitions.flatMap(({ entity, to }) =>
          entity === 'task' && 'task' in event ? [[event.task, SETTLED_STATES.has(to)]] : [],
        ),
      ) as [string, boolean][],
    );
    for (const [task, builder] of builders) if (settled.get(task)) expect(builder.isOver).toBe(true);
  });

  it('contains no text of people or agents', async () => {
    const spans = JSON.stringify(await spansOf(await recordsOf(file)));
    const records = await recordsOf(file);
    const texts = records.flatMap(({ event }) => {
      if (event.type === 'task.created') return [event.spec.title, event.spec.description];
      if (event.type === 'task.output_added') return [event.output.title, event.output.content];
      if (event.type === 'task.comment_added') return [event.body];
      if (event.type === 'attempt.ended') return [event.error, event.stderr_tail];
      return 'reason' in event ? [event.reason] : [];
    });
    const written = texts.filter((text) => text?.includes(' '));
    for (const text of written) expect(spans).not.toContain(text);
  });
});
