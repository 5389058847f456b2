/**
 * Who runs next: matches pending tasks with free slots, and claims.
 *
 * M1 A claim is decided by the machines of the task and the agent together; this only proposes.
 * M2 No place here says which slot is taken: that is the agent's machine, and it follows from open attempts.
 */
import type { TaskSpec } from '../contracts/tasks.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import { type AgentRoster, laneOf } from './agent-roster.ts';
import type { Lane, ReadyQueue } from './ready-queue.ts';

export interface DispatcherOptions {
  readonly host: ActorHost;
  readonly roster: AgentRoster;
  readonly queue: ReadyQueue;
  /** Attempts that may be open at the same time, of all agents together. */
  readonly concurrency: number;
  /** The same for each project. */
  readonly projectConcurrency: number;
  readonly claim: (key: string, agent: string, attempt: number) => void;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  #enabled = false;
  /** A cap that several agents share may have held somebody back: the next free slot is offered to all. */
  #held = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Claims nothing before this, and nothing after `disable`. */
  enable(): void {
    this.#enabled = true;
    this.offerAll();
  }

  disable(): void {
    this.#enabled = false;
  }

  /** A task became pending, or its earlier attempt has ended: it may be claimed. */
  add(project: string, key: string, spec: TaskSpec, age: number): void {
    const lane = laneOf(spec);
    this.#options.queue.add(lane, { key, project, priority: spec.priority, age });
    this.#offerLane(lane);
  }

  /** A slot of this agent may be free. */
  offer(agent: string): void {
    if (this.#held) this.offerAll();
    else this.#fill(agent);
  }

  offerAll(): void {
    this.#held = false;
    for (const { id } of this.#options.roster.all()) this.#fill(id);
  }

  #offerLane(lane: Lane): void {
    // The least loaded first, so that two agents of one type share the work.
    const takers = this.#options.roster.takersOf(lane);
    if (takers.length === 1) return this.#fill(takers[0] ?? '');
    const load = (id: string): number => this.#options.host.get('agent', id)?.context.running ?? 0;
    for (const id of [...takers].sort((a, b) => load(a) - load(b))) this.#fill(id);
  }

  #fill(agent: string): void {
    const { host, roster, queue, concurrency, projectConcurrency, claim } = this.#options;
    while (this.#enabled && this.#hasFreeSlot(agent)) {
      if (host.count('attempt') >= concurrency) {
        this.#held = true;
        return;
      }
      const next = queue.take({
        lanes: roster.lanesOf(agent),
        isReady: (key) => this.#isReady(key),
        loadOf: (project) => host.openAttempts(project),
        projectCap: projectConcurrency,
      });
      if (!next) {
        this.#held ||= projectConcurrency < concurrency;
        return;
      }
      claim(next.key, agent, (host.get('task', next.key)?.context.attempts ?? 0) + 1);
    }
  }

  #hasFreeSlot(id: string): boolean {
    const agent = this.#options.host.get('agent', id);
    if (agent?.state === 'probing') return agent.context.running === 0;
    if (agent?.state !== 'idle' && agent?.state !== 'busy') return false;
    return agent.context.running < agent.context.concurrency;
  }

  #isReady(key: string): boolean {
    const task = this.#options.host.get('task', key);
    return task?.state === 'pending' && task.context.openAttempt === null;
  }
}
