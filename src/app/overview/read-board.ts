/** The board at present and in the past, and its changes. */
import type { PastStates } from '../../../projections/index.ts';
import type { BoardAnswer, BoardChange } from '../../contracts/api/board.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { taskKey } from '../../contracts/ids.ts';
import { agentJson, listAgents } from '../agents/read-agents.ts';
import type { AppContext } from '../context.ts';
import type { Batch } from '../events/event-feed.ts';

import { eventJson, timeOf } from '../tasks/task-json.ts';
import { cardOf, cardsOf } from './board.ts';

/** @param project limits the cards; counts and agents are always those of all projects */
export function readBoard(app: AppContext, project?: string): BoardAnswer {
  const { projections } = app.state;
  const { sequence, blackboard } = projections;
  return {
    sequence,
    time: sequence === 0 ? null : timeOf(app.environment.clock.now()),
    counts: { ...blackboard.counts },
    cards: cardsOf(projections, project),
    agents: listAgents(app),
  };
}

/** The board at a moment of the past. @param record the last event in the state */
export function pastBoard(state: PastStates, record: StoredRecord, project?: string): BoardAnswer {
  return {
    sequence: record.sequence,
    time: timeOf(record.time),
    counts: { ...state.blackboard.counts },
    cards: cardsOf(state, project),
    agents: [...state.agents.byId.values()].map(agentJson),
    event: eventJson(record),
  };
}

/** Types of events that change an agent. */
const AGENT_EVENTS = /^(?:agent\..*|task\.claimed|attempt\.ended)$/;

/**
 * The present cards of the tasks that a batch has changed: a card may be newer than the batch, never older. Tasks that
 * have left memory are left out: they settled long ago.
 */
export function boardChange(app: AppContext, { events, upTo }: Batch): BoardChange {
  const { projections } = app.state;
  const touched = new Set(
    events.flatMap(({ project, task }) =>
      project === null || task === null ? [] : taskKey({ project, task }),
    ),
  );
  const cards = [...touched].flatMap((key) => {
    const task = projections.blackboard.tasks.get(key);
    return task ? cardOf(projections, task) : [];
  });
  const hasAgents = events.some(({ type }) => AGENT_EVENTS.test(type));
  return {
    sequence: upTo,
    counts: { ...projections.blackboard.counts },
    cards,
    ...(hasAgents && { agents: listAgents(app) }),
  };
}
