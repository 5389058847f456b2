/** All projections, and the state that they make up together. */
import { canonicalJson } from '../src/contracts/canonical.ts';
import type { StoredRecord } from '../src/contracts/events.ts';
import { type Agents, agents } from './agents.ts';
import { type AttemptHistory, attemptHistory } from './attempts.ts';
import { type Blackboard, blackboard } from './blackboard.ts';

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

export class Projections {
  readonly blackboard: Blackboard = blackboard.initial();
  readonly attempts: AttemptHistory = attemptHistory.initial();
  readonly agents: Agents = agents.initial();
  /** Sequence of the last record that was folded in. */
  sequence = 0;

  evolve(record: StoredRecord): void {
    blackboard.evolve(this.blackboard, record);
    attemptHistory.evolve(this.attempts, record);
    agents.evolve(this.agents, record);
    this.sequence = record.sequence;
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
    };
  }
}
