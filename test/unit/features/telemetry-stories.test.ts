/** Spans from the recorded histories: all that ever happened to tasks and attempts. */
import { afterAll, describe, expect, it } from 'vitest';
import type { StoredRecord } from '../../../src/contracts/events/events.ts';
import { SETTLED_STATES, type TaskState } from '../../../src/contracts/tasks.ts';
import { readRecords } from '../../../src/engine/replay/cursor.ts';
import { fileSource } from '../../../src/engine/replay/file-source.ts';
import { taskTrace } from '../../../src/engine/runtime/task-trace.ts';
import type { Span } from '../../../src/features/telemetry/span.ts';
import { type StoryLimits, TaskStories } from '../../../src/features/telemetry/task-stories.ts';
import { TaskStory } from '../../../src/features/telemetry/task-story.ts';
import { goldenHistories } from '../../support/histories/golden.ts';

const HISTORIES = await goldenHistories();
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

async function recordsOf(file: string): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const record of readRecords(fileSource(file))) records.push(record);
  return records;
}

/** How often a story was read from the log. */
let reads = 0;
afterAll(() => expect(reads).toBeGreaterThan(100));

/** @param from as after a restart: what came before is in the log only */
async function spansOf(records: readonly StoredRecord[], limits?: StoryLimits, from = 0): Promise<Span[]> {
  async function* history(project: string, task: string): AsyncIterable<StoredRecord> {
    reads++;
    for (const record of records) {
      const { event } = record;
      if ('task' in event && event.task === task && event.project === project) yield record;
    }
  }
  const stories = new TaskStories({ log: { history } }, limits);
  const spans: Span[] = [];
  for (const record of records.filter(({ sequence }) => sequence > from)) {
    spans.push(...(await stories.evolve(record)));
  }
  return spans;
}

const settlements = ({ transitions }: StoredRecord): number =>
  transitions.filter(
    ({ entity, from, to }) =>
      entity === 'task' && SETTLED_STATES.has(to as TaskState) && !SETTLED_STATES.has(from as TaskState),
  ).length;

describe.each(HISTORIES)('$name', ({ file }) => {
  it('S2: gives one span for each attempt that ended, and for each time that a task settled', async () => {
    const records = await recordsOf(file);
    const spans = await spansOf(records);
    const ended = records.filter(({ event }) => event.type === 'attempt.ended');
    const settled = records.reduce((sum, record) => sum + settlements(record), 0);
    expect(spans.filter(({ kind }) => kind === 'client')).toHaveLength(ended.length);
    expect(spans.filter(({ kind }) => kind === 'internal')).toHaveLength(settled);
    expect(new Set(spans.map(({ context }) => context.spanId)).size).toBe(spans.length);
    for (const span of spans) expect(span.end).toBeGreaterThanOrEqual(span.start);
  });

  it('S1, S4: gives the same spans where hardly a story fits into memory', async () => {
    const records = await recordsOf(file);
    const all = await spansOf(records);
    if (all.length === 0) return;
    expect(await spansOf(records, { open: 1, over: 0 })).toEqual(all);
  });

  it('S1, S4: gives the same spans after a restart at any moment', async () => {
    const records = await recordsOf(file);
    const all = await spansOf(records);
    const counts = new Map<number, number>();
    const stories = new TaskStories({ log: { history: async function* () {} } });
    for (const record of records) counts.set(record.sequence, (await stories.evolve(record)).length);
    const step = Math.ceil(records.length / 25);
    for (let from = 1; from < records.length; from += step) {
      const sent = records
        .filter(({ sequence }) => sequence <= from)
        .reduce((sum, { sequence }) => sum + (counts.get(sequence) ?? 0), 0);
      if (sent === 0 || sent === all.length) continue;
      expect(await spansOf(records, undefined, from)).toEqual(all.slice(sent));
    }
  });

  it('S5: has no spans, and no story that is never over, of what nobody wants to sample', async () => {
    const records = (await recordsOf(file)).map((record): StoredRecord => {
      const { event } = record;
      if (event.type !== 'task.created') return record;
      return { ...record, event: { ...event, spec: { ...event.spec, traceparent: UNSAMPLED } } };
    });
    const stories = new Map<string, TaskStory>();
    for (const record of records) {
      const { event } = record;
      if (!('task' in event)) continue;
      if (event.type !== 'task.created') {
        expect(stories.get(event.task)?.evolve(record)).toEqual([]);
        continue;
      }
      const trace = taskTrace({ ...event, id: event.task, createdAt: record.time }, null);
      stories.set(event.task, new TaskStory(event, record, trace, { links: [], droppedLinks: 0 }));
    }
    const settled = new Map(
      records.flatMap(({ event, transitions }) =>
        transitions.flatMap(({ entity, to }) =>
          entity === 'task' && 'task' in event ? [[event.task, SETTLED_STATES.has(to as TaskState)]] : [],
        ),
      ) as [string, boolean][],
    );
    for (const [task, story] of stories) if (settled.get(task)) expect(story.isOver).toBe(true);
  });

  it('S3: says nothing that somebody wrote', async () => {
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
