import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryQueue } from '../../src/base/entry-queue.ts';
import { Heap } from '../../src/base/heap.ts';
import { taskKey } from '../../src/contracts/ids.ts';
import { TimerQueue } from '../../src/engine/runtime/timer-queue.ts';
import { type QueueKey, type ReadyTask, ReadyTasks } from '../../src/engine/supervisor/ready-tasks.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('Heap', () => {
  it('returns what a sorted list returns', () => {
    const operation = fc.oneof(fc.integer(), fc.constantFrom('pop', 'rebuild'));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const heap = new Heap<number>((a, b) => a - b);
        let model: number[] = [];
        for (const each of operations) {
          if (each === 'pop') expect(heap.pop()).toBe(model.shift());
          else if (each === 'rebuild') {
            model = model.filter((item) => item % 2 === 0);
            heap.rebuild(model.toReversed());
          } else {
            heap.push(each as number);
            model.push(each as number);
            model.sort((a, b) => a - b);
          }
          expect(heap.peek()).toBe(model[0]);
          expect(heap.size).toBe(model.length);
        }
      }),
    );
  });
});

describe('EntryQueue', () => {
  it('returns what an array returns, also beyond the length at which it moves its items', () => {
    const operation = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 4_000 }).map((count) => ({ push: count })) },
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 6_000 }).map((count) => ({ shift: count })) },
      { weight: 1, arbitrary: fc.constant('clear' as const) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12, size: 'max' }), (operations) => {
        const queue = new EntryQueue<number>();
        let [head, tail] = [0, 0];
        for (const each of operations) {
          if (each === 'clear') {
            queue.clear();
            head = tail;
          } else if ('push' in each) {
            for (let n = 0; n < each.push; n++) queue.push(tail++);
          } else {
            const shifted = Array.from({ length: each.shift }, () => queue.shift());
            const rest = Array.from({ length: each.shift }, () => (head < tail ? head++ : undefined));
            expect(shifted.findIndex((item, index) => item !== rest[index])).toBe(-1);
          }
          expect(queue.length).toBe(tail - head);
          expect(queue.at(0)).toBe(head < tail ? head : undefined);
          expect(queue.at(tail - head - 1)).toBe(head < tail ? tail - 1 : undefined);
          expect(queue.at(tail - head)).toBeUndefined();
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('TimerQueue', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const operation = fc.oneof(
    { weight: 5, arbitrary: fc.record({ set: key, in: fc.integer({ min: -50, max: 500 }) }) },
    { weight: 2, arbitrary: fc.record({ cancel: key }) },
    { weight: 4, arbitrary: fc.record({ advance: fc.integer({ min: 0, max: 300 }) }) },
    { weight: 1, arbitrary: fc.record({ clear: fc.constant(true) }) },
  );

  it('wakes each key once, at its newest deadline, in the order of time', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), (operations) => {
        const clock = new FakeClock();
        const timers = new TimerQueue(clock);
        const woken: { key: string; at: number }[] = [];
        const deadlines = new Map<string, number>();
        for (const each of operations) {
          if ('set' in each) {
            const at = clock.now() + each.in;
            timers.set(each.set, at, () => woken.push({ key: each.set, at: clock.now() }));
            deadlines.set(each.set, at);
          } else if ('cancel' in each) {
            timers.cancel(each.cancel);
            deadlines.delete(each.cancel);
          } else if ('clear' in each) {
            timers.clear();
            deadlines.clear();
            expect(clock.pending).toBe(0);
          } else {
            const start = clock.now();
            clock.advance(each.advance);
            const due = [...deadlines].filter(([, at]) => at <= clock.now()).sort(([, a], [, b]) => a - b);
            for (const [name] of due) deadlines.delete(name);
            const expected = due.map(([, at]) => Math.max(at, start));
            expect(woken.map(({ at }) => at)).toEqual(expected);
            expect(woken.map((wake) => wake.key).sort()).toEqual(due.map(([name]) => name).sort());
            woken.length = 0;
          }
          expect(woken).toEqual([]);
          expect(timers.size).toBe(deadlines.size);
          expect(clock.pending).toBeLessThanOrEqual(1);
          if (deadlines.size > 0) expect(clock.pending).toBe(1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('lets a wake set, replace and cancel timers, its own included', () => {
    const clock = new FakeClock();
    const timers = new TimerQueue(clock);
    const woken: string[] = [];
    const again = (count: number): void => {
      woken.push(`again ${count}`);
      timers.cancel('never');
      if (count < 3) timers.set('again', clock.now() + 10, () => again(count + 1));
    };
    timers.set('never', 10, () => woken.push('never'));
    timers.set('again', 10, () => again(1));
    timers.set('again', 5, () => again(1));
    clock.advance(100);
    expect(woken).toEqual(['again 1', 'again 2', 'again 3']);
    expect([timers.size, clock.pending]).toEqual([0, 0]);
  });
});

describe('ReadyTasks', () => {
  const QUEUES: readonly QueueKey[] = ['agent:x', 'agent:y', 'type:t'];
  const PROJECTS = ['p', 'q', 'r'];
  const operation = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        add: fc.constantFrom(...QUEUES),
        project: fc.constantFrom(...PROJECTS),
        priority: fc.integer({ min: 1, max: 3 }),
        goesFirst: fc.boolean(),
      }),
    },
    { weight: 4, arbitrary: fc.record({ take: fc.subarray([...QUEUES], { minLength: 1 }) }) },
    { weight: 1, arbitrary: fc.record({ withdraw: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ finish: fc.nat() }) },
  );

  it('dispatch/priority-then-age: returns the task that a search through all tasks would find, and no stale one', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 80, size: 'max' }),
        fc.integer({ min: 1, max: 5 }),
        (operations, projectCap) => {
          const queue = new ReadyTasks();
          let age = 0;
          let takes = 0;
          let ready: (ReadyTask & { readonly queue: QueueKey })[] = [];
          const taken: string[] = [];
          const served = new Map<string, number>();
          const loadOf = (project: string): number => taken.filter((each) => each === project).length;
          for (const each of operations) {
            if ('add' in each) {
              const task = {
                key: taskKey({ project: each.project, task: String(++age) }),
                project: each.project,
                priority: each.priority,
                edits: 0,
                goesFirst: each.goesFirst,
                age,
              };
              queue.add(each.add, task);
              ready.push({ ...task, queue: each.add });
            } else if ('withdraw' in each) {
              ready = ready.filter((_, index) => index !== each.withdraw % ready.length);
            } else if ('finish' in each) {
              if (taken.length > 0) taken.splice(each.finish % taken.length, 1);
            } else {
              const queues = each.take;
              const isReady = ({ key }: ReadyTask): boolean => ready.some((task) => task.key === key);
              const [expected] = ready
                .filter(({ queue, project }) => queues.includes(queue) && loadOf(project) < projectCap)
                .sort((a, b) => {
                  const byTask =
                    Number(b.goesFirst) - Number(a.goesFirst) || b.priority - a.priority || a.age - b.age;
                  if (a.project === b.project) return byTask;
                  const byTurn = (served.get(a.project) ?? 0) - (served.get(b.project) ?? 0);
                  return loadOf(a.project) - loadOf(b.project) || byTurn || byTask;
                });
              const found = queue.take({ queues, isReady, loadOf, projectCap });
              expect(found?.key).toBe(expected?.key);
              if (!expected) continue;
              ready = ready.filter(({ key }) => key !== expected.key);
              taken.push(expected.project);
              served.set(expected.project, ++takes);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
