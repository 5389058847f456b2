/** Random requests for tasks, with every field that matters to the supervisor. */
import type { CreateTask } from '../../../src/contracts/api/requests.ts';
import type { Random } from './random.ts';
import { TYPES } from './random-agents.ts';

export interface Surroundings {
  readonly random: Random;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly agents: readonly string[];
  /** Ids of the tasks that the project has already. */
  readonly earlier: readonly string[];
}

export function randomRequest({ random, now, agents, earlier }: Surroundings): Partial<CreateTask> {
  const maybe = <Value>(probability: number, value: () => Value): Value | undefined =>
    random.chance(probability) ? value() : undefined;
  const relates = earlier.length > 0 ? 0.2 : 0;
  const delay_seconds = maybe(0.2, () => random.int(0, 30));
  const start = now + 1_000 * (delay_seconds ?? 0);
  return {
    ...(random.chance(0.5) ? { agent: random.pick(agents) } : { type: random.pick(TYPES) }),
    priority: random.int(1, 10),
    delay_seconds,
    expires_at: maybe(0.2, () => new Date(start + random.int(1, 60_000)).toISOString()),
    timeout_seconds: maybe(0.2, () => random.int(1, 20)),
    silence_timeout_seconds: maybe(0.1, () => random.int(1, 8)),
    max_attempts: random.int(1, 4),
    review: random.chance(0.75) ? 'auto' : 'manual',
    outputs: random.chance(0.6) ? 'required' : 'optional',
    parent: maybe(relates, () => random.pick(earlier)),
    join: maybe(0.2, () => true),
    depends_on: maybe(relates, () => [...new Set([random.pick(earlier), random.pick(earlier)])]),
    budget: maybe(0.15, () => ({ attempts: random.int(1, 4), wall_seconds: random.int(5, 60) })),
    follow_ups: maybe(0.2, () => [randomFollowUp(random)]),
  };
}

/** A parent that waits for its children, and has a budget for all of them. */
export function randomParent(random: Random): Partial<CreateTask> {
  return {
    type: random.pick(TYPES),
    join: true,
    review: 'auto',
    outputs: 'optional',
    max_attempts: 2,
    budget: random.chance(0.7) ? { attempts: random.int(2, 8) } : undefined,
  };
}

export function randomChild(random: Random, parent: string): Partial<CreateTask> {
  return {
    type: random.pick(TYPES),
    parent,
    outputs: 'optional',
    review: 'auto',
    max_attempts: random.int(1, 3),
    follow_ups: random.chance(0.4) ? [randomFollowUp(random)] : undefined,
  };
}

function randomFollowUp(random: Random): NonNullable<CreateTask['follow_ups']>[number] {
  return {
    title: 'after {{task_id}}',
    description: '{{outputs}}',
    outputs: 'optional',
    type: random.pick(TYPES),
    max_attempts: random.int(1, 3),
    review: 'auto',
    delay_seconds: random.chance(0.3) ? random.int(1, 20) : undefined,
    follow_ups: random.chance(0.3) ? [{ ...randomFollowUp(random), follow_ups: undefined }] : undefined,
  };
}
