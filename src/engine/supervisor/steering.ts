/**
 * Messages of users to the agents of tasks. Each is delivered in the first way that works: into the running agent by its
 * driver, with the next answer that the agent gets from Signalbox, or in the prompt of the next attempt.
 */
import { messagesOf, type SteeringMessage, undelivered } from '../../../projections/index.ts';
import type { EventOf } from '../../contracts/events/events.ts';
import { type AttemptRef, attemptKey, type TaskRef, taskKey } from '../../contracts/ids.ts';
import type { SteeringWay } from '../../contracts/tasks.ts';
import type { AttemptKeeper } from './attempt-keeper.ts';
import type { SupervisorContext } from './supervisor-context.ts';

interface SteeringKeeperParts extends SupervisorContext {
  readonly attempts: Pick<AttemptKeeper, 'steer'>;
}

export class SteeringKeeper {
  readonly #options: SteeringKeeperParts;
  /** Messages that a driver is passing on. */
  readonly #underway = new Set<string>();
  /** The messages in the prompt of an attempt whose start is not recorded yet. */
  readonly #prompted = new Map<string, readonly string[]>();
  /** By attempt: messages that its worker has, and has not passed on yet as far as is known. */
  readonly #offered = new Map<string, Set<string>>();

  constructor(options: SteeringKeeperParts) {
    this.#options = options;
  }

  /** The messages of a prompt that is being written. */
  inPrompt(ref: AttemptRef): void {
    const ids = undelivered(this.#options.projections.steering, ref).map(({ id }) => id);
    if (ids.length > 0) this.#prompted.set(attemptKey(ref), ids);
  }

  /** Reacts to a stored start: the agent has its prompt. */
  onStarted(ref: AttemptRef): void {
    const key = attemptKey(ref);
    this.#deliver(ref, this.#prompted.get(key) ?? [], 'prompt');
    this.#prompted.delete(key);
    this.takeUp(ref);
  }

  onEnded(ref: AttemptRef): void {
    this.#prompted.delete(attemptKey(ref));
    this.#offered.delete(attemptKey(ref));
  }

  /** Reacts to a stored message. */
  onSteered({ project, task }: EventOf<'task.steered'>): void {
    const attempt = this.#options.host.get('task', taskKey({ project, task }))?.context.openAttempt;
    if (attempt) this.takeUp({ project, task, attempt });
  }

  /** Passes the waiting messages into a running agent, if its driver can. */
  takeUp(ref: AttemptRef): void {
    for (const message of this.waiting(ref)) void this.#pass(ref, message);
  }

  /** Messages to the agent of this task that are not delivered and not on their way. */
  waiting(ref: TaskRef): SteeringMessage[] {
    const { openAttempt = null, messages = [] } = this.#options.host.get('task', taskKey(ref))?.context ?? {};
    if (messages.length === 0) return [];
    const key = openAttempt === null ? '' : attemptKey({ ...ref, attempt: openAttempt });
    const isOnItsWay = (id: string): boolean =>
      this.#underway.has(id) ||
      this.#prompted.get(key)?.includes(id) ||
      this.#offered.get(key)?.has(id) ||
      false;
    return undelivered(this.#options.projections.steering, ref).filter(
      ({ id }) => messages.includes(id) && !isOnItsWay(id),
    );
  }

  /**
   * The messages for the answer that an agent is about to get.
   * @param cause the message that is answered: if it comes again, so does what was in its answer
   */
  withAnswer({ project, task, attempt }: AttemptRef, cause?: string): readonly SteeringMessage[] {
    const ref = { project, task, attempt };
    const messages = this.waiting(ref);
    const ids = messages.map(({ id }) => id);
    const handedOut = this.#deliver(ref, ids, 'answer', cause) ? messages : [];
    if (cause === undefined) return handedOut;
    const before = messagesOf(this.#options.projections.steering, ref).filter(
      ({ delivered }) => delivered?.cause === cause,
    );
    return [...before, ...handedOut];
  }

  /** The messages for a worker, which passes them on: it gets each until it has, or the attempt ends. */
  offered({ project, task, attempt }: AttemptRef): readonly SteeringMessage[] {
    const ref = { project, task, attempt };
    const open = this.#options.host.get('task', taskKey(ref))?.context.messages ?? [];
    if (open.length === 0) return [];
    const ids = this.#offered.get(attemptKey(ref)) ?? new Set<string>();
    for (const { id } of this.waiting(ref)) ids.add(id);
    this.#offered.set(attemptKey(ref), ids);
    return undelivered(this.#options.projections.steering, ref).filter(
      ({ id }) => ids.has(id) && open.includes(id),
    );
  }

  /** A worker has passed these messages on to its agent. */
  passedOn({ project, task, attempt }: AttemptRef, ids: readonly string[]): void {
    this.#deliver({ project, task, attempt }, ids, 'driver');
  }

  async #pass(ref: AttemptRef, { id, text, by }: SteeringMessage): Promise<void> {
    this.#underway.add(id);
    try {
      if (await this.#options.attempts.steer(ref, { id, text, by })) this.#deliver(ref, [id], 'driver');
    } finally {
      this.#underway.delete(id);
    }
  }

  /** @returns whether it is decided */
  #deliver(
    { project, task, attempt }: AttemptRef,
    ids: readonly string[],
    by: SteeringWay,
    cause?: string,
  ): boolean {
    const entity = this.#options.host.get('task', taskKey({ project, task }));
    const messages = ids.filter((id) => entity?.context.messages.includes(id));
    if (messages.length === 0) return false;
    const event = { type: 'task.steering_delivered', project, task, attempt, messages, by } as const;
    return this.#options.decide(event, undefined, cause) === null;
  }
}
