/**
 * Who runs next: matches pending tasks with free slots, and claims.
 *
 * M1 A claim is decided by the machines of the task and the agent together; this only proposes.
 * M2 No place here says which slot is taken: that is the agent's machine, and it follows from open attempts.
 * M3 Where a shared cap holds work back, the next free place goes to whoever is next of all: no agent, and so no
 *    project, is passed over because of its place in the configuration.
 * M4 Of a queue that is paused nothing is claimed. What was claimed before stands before the pause in the log.
 */
import type { TaskSpec } from '../../contracts/tasks.ts';
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
  #state: 'waiting' | 'claiming' | 'over' = 'waiting';
  /** A cap that several agents share may have held somebody back: the next free slot is offered to all. */
  #held = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Claims nothing before this. Does nothing after `disable`, which may come while Signalbox is still starting. */
  enable(): void {
    if (this.#state === 'over') return;
    this.#state = 'claiming';
    this.offerAll();
  }

  /** Claims nothing any more. */
  disable(): void {
    this.#state = 'over';
  }

  /** A task became pending, or its earlier attempt has ended: it may be claimed. */
  add(project: string, key: string, spec: TaskSpec, age: number): void {
    const lane = laneOf(spec);
    this.#options.queue.add(lane, { key, project, priority: spec.priority, age });
    this.#match([lane]);
  }

  /** A slot of this agent may be free. */
  offer(agent: string): void {
    if (this.#held) this.offerAll();
    else this.#match(this.#options.roster.lanesOf(agent));
  }

  /** Tasks of this queue may be claimed again. */
  reopen(queue: string): void {
    if (this.#held) this.offerAll();
    else this.#match([queue as Lane]);
  }

  offerAll(): void {
    this.#held = false;
    this.#match([...this.#options.queue.lanes()]);
  }

  /** Claims what is next in these lanes, as long as somebody is free. */
  #match(lanes: readonly Lane[]): void {
    const { host, queue, concurrency, projectConcurrency, claim } = this.#options;
    while (this.#state === 'claiming') {
      const open = lanes.filter((lane) => this.#isOpen(lane));
      if (open.length === 0) return;
      if (host.count('attempt') >= concurrency) {
        this.#held = true;
        return;
      }
      const next = queue.take({
        lanes: open,
        isReady: (key) => this.#isReady(key),
        loadOf: (project) => host.openAttempts(project),
        projectCap: projectConcurrency,
      });
      const taker = next && this.#takerOf(next.lane);
      if (!next || taker === undefined) {
        this.#held ||= projectConcurrency < concurrency;
        return;
      }
      claim(next.key, taker, (host.get('task', next.key)?.context.attempts ?? 0) + 1);
    }
  }

  /** Whether something may wait here, and somebody is free to take it. */
  #isOpen(lane: Lane): boolean {
    const { host, queue } = this.#options;
    return (
      queue.has(lane) && host.get('queue', lane)?.state !== 'paused' && this.#takerOf(lane) !== undefined
    );
  }

  /** The least loaded of those who are free to take from this lane, so that agents of one type share the work. */
  #takerOf(lane: Lane): string | undefined {
    let best: string | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const id of this.#options.roster.takersOf(lane)) {
      if (!this.#hasFreeSlot(id)) continue;
      const load = this.#options.host.get('agent', id)?.context.running ?? 0;
      if (load < bestLoad) [best, bestLoad] = [id, load];
    }
    return best;
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
