/** All projections, and the state that they make up together. */
import { canonicalJson } from '../src/base/canonical-json.ts';
import type { StoredRecord } from '../src/contracts/events/events.ts';
import { type Agents, agents } from './agents.ts';
import { type AttemptHistory, attemptHistory } from './attempts.ts';
import { type Blackboard, blackboard } from './blackboard.ts';
import type { Entries } from './projection.ts';
import { type Queues, queues } from './queues.ts';
import { type Throughput, throughput } from './throughput.ts';

export { type Agents, type AgentView, agents } from './agents.ts';
export { type AttemptHistory, type AttemptView, attemptHistory } from './attempts.ts';
export {
  type Blackboard,
  blackboard,
  type CommentView,
  type OutputView,
  type TaskView,
} from './blackboard.ts';
export type { Projection } from './projection.ts';
export { type PausedQueue, type Queues, queues } from './queues.ts';
export { type Throughput, throughput } from './throughput.ts';

export interface ProjectionStates {
  readonly blackboard: Blackboard;
  readonly attempts: AttemptHistory;
  readonly agents: Agents;
  readonly queues: Queues;
  readonly throughput: Throughput;
}

export class Projections {
  readonly blackboard: Blackboard;
  readonly attempts: AttemptHistory;
  readonly agents: Agents;
  readonly queues: Queues;
  readonly throughput: Throughput;
  /** Sequence of the last record that was folded in. */
  sequence: number;
  #entries: Entries;

  constructor(states: ProjectionStates = initialStates(), sequence = 0, entries: Entries = 'handed out') {
    this.#entries = entries;
    this.blackboard = states.blackboard;
    this.attempts = states.attempts;
    this.agents = states.agents;
    this.queues = states.queues;
    this.throughput = states.throughput;
    this.sequence = sequence;
  }

  /** For a rebuild: empty, and to be looked at by nobody before `handOut` (F5). */
  static unseen(): Projections {
    return new Projections(initialStates(), 0, 'unseen');
  }

  /**
   * What `toJSON` was made of, for a rebuild that goes on from there: to be looked at by nobody before `handOut` (F5).
   * Trusts its input, and takes it over. @param sequence of the last record that was folded in
   */
  static restore(json: Readonly<Record<string, unknown>>, sequence: number): Projections {
    const states = {
      blackboard: blackboard.restore(json[blackboard.name]),
      attempts: attemptHistory.restore(json[attemptHistory.name]),
      agents: agents.restore(json[agents.name]),
      queues: queues.restore(json[queues.name]),
      throughput: throughput.restore(json[throughput.name]),
    };
    return new Projections(states, sequence, 'unseen');
  }

  /** From here on an entry that somebody reads stays as it is (F3). */
  handOut(): void {
    this.#entries = 'handed out';
  }

  evolve(record: StoredRecord): void {
    blackboard.evolve(this.blackboard, record, this.#entries);
    attemptHistory.evolve(this.attempts, record, this.#entries);
    agents.evolve(this.agents, record, this.#entries);
    queues.evolve(this.queues, record);
    throughput.evolve(this.throughput, record);
    this.sequence = record.sequence;
  }

  /** Lets go of a task, given as `project/task`, that is settled. */
  forgetTask(task: string): void {
    blackboard.forget(this.blackboard, task);
    attemptHistory.forget(this.attempts, task);
  }

  /** Canonical JSON of everything: equal states give equal texts. */
  toText(): string {
    return canonicalJson(this.toJSON());
  }

  /** Everything as plain data, by name. */
  toJSON(): Record<string, unknown> {
    return {
      [blackboard.name]: blackboard.toJSON(this.blackboard),
      [attemptHistory.name]: attemptHistory.toJSON(this.attempts),
      [agents.name]: agents.toJSON(this.agents),
      [queues.name]: queues.toJSON(this.queues),
      [throughput.name]: throughput.toJSON(this.throughput),
    };
  }
}

function initialStates(): ProjectionStates {
  return {
    blackboard: blackboard.initial(),
    attempts: attemptHistory.initial(),
    agents: agents.initial(),
    queues: queues.initial(),
    throughput: throughput.initial(),
  };
}
