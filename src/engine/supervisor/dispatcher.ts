/**
 * Dispatching: matches pending tasks with free slots of agents, and proposes claims, which the machines of the task and
 * the agent decide together. Which slots are free follows from the machine of the agent.
 *
 * If a shared limit holds work back, the next free slot goes to the task that is next of all queues: no agent, and so no
 * project, is passed over because of its place in the configuration. Nothing is claimed from a paused queue.
 *
 * A new task for which a slot is free is claimed with its creation, unless another one waits for that slot: also one whose
 * last event is decided and not stored yet.
 */
import type { TaskView } from '../../../projections/index.ts';
import { attemptsOf, refOf, viewKey } from '../runtime/views.ts';
import { ownPart, queueOf, wholeOf } from './agent-roster.ts';
import type { QueueKey, ReadyTask, ReadyTasks } from './ready-tasks.ts';
import { sessionHolder } from './sessions.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import type { BudgetKeeper } from './usage/budget-keeper.ts';

interface DispatcherParts extends Pick<SupervisorContext, 'host' | 'roster' | 'projections'> {
  readonly ready: ReadyTasks;
  /** Attempts that may be open at the same time, of all agents together. */
  readonly concurrency: number;
  /** The same for each project. */
  readonly projectConcurrency: number;
  readonly claim: (key: string, agent: string, attempt: number) => void;
  /** Which agents and projects may start no attempts, because a budget is used up. */
  readonly budgets: Pick<BudgetKeeper, 'holderOfAgent' | 'holderOfProject'>;
}

export class Dispatcher {
  readonly #options: DispatcherParts;
  #state: 'waiting' | 'dispatching' | 'over' = 'waiting';
  /** Whether a shared limit has held work back: then the next free slot is offered to all queues. */
  #held = false;
  /** Tasks that are pending, or in this queue, by an event that is not stored yet: they are not in `ready`. */
  readonly #arriving = new Map<QueueKey, Set<string>>();

  constructor(options: DispatcherParts) {
    this.#options = options;
  }

  /** Starts dispatching. Does nothing after `disable`, which may be called while Signalbox is still starting. */
  enable(): void {
    if (this.#state === 'over') return;
    this.#state = 'dispatching';
    this.offerAll();
  }

  /** Stops dispatching. */
  disable(): void {
    this.#state = 'over';
  }

  /** A task became pending, or its previous attempt has ended: it may be claimed. */
  add(task: TaskView): void {
    const { project, spec, edits, goesFirst, createdSequence: age } = task;
    const { roster, projections } = this.#options;
    const holder = sessionHolder(task, attemptsOf(projections, refOf(task)), roster);
    const queue = holder === null ? queueOf(spec) : ownPart(queueOf(spec), holder);
    const { priority } = spec;
    this.#options.ready.add(queue, { key: viewKey(task), project, priority, edits, goesFirst, age });
    this.#match([queue]);
  }

  /** A task is pending, or moves to this queue, by an event that is not stored yet. */
  noteArrival(key: string, queue: QueueKey): void {
    const arriving = this.#arriving.get(queue);
    if (arriving) arriving.add(key);
    else this.#arriving.set(queue, new Set([key]));
  }

  /** The events of a task are stored. */
  noteStored(key: string): void {
    for (const [queue, arriving] of this.#arriving)
      if (arriving.delete(key) && arriving.size === 0) this.#arriving.delete(queue);
  }

  /** The agent that can take a new task of this project and queue at once; undefined if it has to wait. */
  takerOfNew(project: string, queue: QueueKey): string | undefined {
    const { host, roster, concurrency, projectConcurrency } = this.#options;
    if (this.#state !== 'dispatching' || this.#held || this.#isPaused(queue)) return undefined;
    if (host.count('attempt') >= concurrency || host.openAttempts(project) >= projectConcurrency)
      return undefined;
    if (this.#options.budgets.holderOfProject(project) !== null) return undefined;
    const taker = this.#takerOf(queue);
    if (taker === undefined || !this.#isKnownFree(taker)) return undefined;
    return roster.sourcesOf(taker).some((each) => this.#hasWaiting(each)) ? undefined : taker;
  }

  /** Whether a slot is free by what is stored: the end that frees one may be one after which the agent is held back. */
  #isKnownFree(id: string): boolean {
    const agent = this.#options.projections.agents.byId.get(id);
    return agent !== undefined && agent.running < agent.concurrency;
  }

  #hasWaiting(queue: QueueKey): boolean {
    return (this.#options.ready.has(queue) || this.#arriving.has(queue)) && !this.#isPaused(queue);
  }

  #isPaused(queue: QueueKey): boolean {
    return this.#options.host.get('queue', wholeOf(queue))?.state === 'paused';
  }

  /** A slot of this agent may be free. */
  offer(agent: string): void {
    if (this.#held) this.offerAll();
    else this.#match(this.#options.roster.sourcesOf(agent));
  }

  /** Tasks of this queue may be claimed again. */
  reopen(queue: QueueKey): void {
    if (this.#held) return this.offerAll();
    const parts = this.#options.roster.takersOf(queue).map((agent) => ownPart(queue, agent));
    this.#match([queue, ...parts]);
  }

  offerAll(): void {
    this.#held = false;
    this.#match([...this.#options.ready.queues()]);
  }

  /** Claims what is next in these queues, as long as agents are free. */
  #match(queues: readonly QueueKey[]): void {
    const { host, ready, concurrency, projectConcurrency, claim, budgets } = this.#options;
    while (this.#state === 'dispatching') {
      const open = queues.filter((queue) => this.#isOpen(queue));
      if (open.length === 0) return;
      if (host.count('attempt') >= concurrency) {
        this.#held = true;
        return;
      }
      const next = ready.take({
        queues: open,
        isReady: (task) => this.#isReady(task),
        loadOf: (project) =>
          budgets.holderOfProject(project) === null ? host.openAttempts(project) : Number.POSITIVE_INFINITY,
        projectCap: projectConcurrency,
      });
      const taker = next && this.#takerOf(next.queue);
      if (!next || taker === undefined) {
        this.#held ||= projectConcurrency < concurrency;
        return;
      }
      claim(next.key, taker, (host.get('task', next.key)?.context.attempts ?? 0) + 1);
    }
  }

  /** Whether tasks may wait in a queue and an agent is free to take them. */
  #isOpen(queue: QueueKey): boolean {
    if (!this.#options.ready.has(queue) || this.#isPaused(queue)) return false;
    return this.#takerOf(queue) !== undefined;
  }

  /** The least loaded free agent of a queue, so that agents of one type share the work. */
  #takerOf(queue: QueueKey): string | undefined {
    let best: string | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const id of this.#options.roster.takersOf(queue)) {
      if (!this.#hasFreeSlot(id)) continue;
      const load = this.#options.host.get('agent', id)?.context.running ?? 0;
      if (load < bestLoad) [best, bestLoad] = [id, load];
    }
    return best;
  }

  #hasFreeSlot(id: string): boolean {
    if (this.#options.budgets.holderOfAgent(id) !== null) return false;
    const agent = this.#options.host.get('agent', id);
    if (agent?.state === 'probing') return agent.context.running === 0;
    if (agent?.state !== 'idle' && agent?.state !== 'busy') return false;
    return agent.context.running < agent.context.concurrency;
  }

  #isReady({ key, edits, goesFirst }: ReadyTask): boolean {
    const task = this.#options.host.get('task', key);
    if (task?.state !== 'pending') return false;
    const { context } = task;
    return context.openAttempt === null && context.edits === edits && context.goesFirst === goesFirst;
  }
}
