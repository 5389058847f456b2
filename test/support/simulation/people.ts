/** Those who give Signalbox work and decide about it: they create tasks, review, cancel, block and pause at random. */

import { createTask } from '../../../src/app/create-task.ts';
import { AGENT_DECISIONS, type AgentDecision, decideAgent } from '../../../src/app/decide-agent.ts';
import {
  approveTask,
  blockTask,
  cancelTask,
  rejectTask,
  retryTask,
  unblockTask,
} from '../../../src/app/decide-task.ts';
import { agentId, projectId, taskId } from '../../../src/contracts/ids.ts';
import { type CreateTask, createTaskSchema } from '../../../src/contracts/requests.ts';
import type { TaskModel } from './log-model.ts';
import { TYPES } from './random-agents.ts';
import type { Simulation } from './simulation.ts';

const PROJECTS = ['north', 'south', 'west'] as const;
const DECISIONS = {
  approve: approveTask,
  cancel: cancelTask,
  block: blockTask,
  unblock: unblockTask,
  retry: retryTask,
};

export class People {
  readonly #simulation: Simulation;
  readonly #agents: readonly string[];
  readonly #projects: readonly string[];
  #tasks = 0;

  constructor(simulation: Simulation, agents: readonly string[]) {
    this.#simulation = simulation;
    this.#agents = agents;
    this.#projects = PROJECTS.slice(0, simulation.random.int(1, PROJECTS.length));
  }

  /** Asks for a task; now and then for the same one twice. */
  create(): void {
    const simulation = this.#simulation;
    const mark = simulation.newMark();
    const project = projectId(simulation.random.pick(this.#projects));
    const request = createTaskSchema.parse({ title: mark, ...this.#request(project) });
    const send = (): void =>
      simulation.command(mark, (app) => createTask(app, project, request, 'user:somebody'));
    send();
    if (simulation.random.chance(0.15)) simulation.clock.schedule(simulation.random.int(0, 3_000), send);
  }

  /** Decides something about some task, sensible or not. */
  meddle(): void {
    const { random, model } = this.#simulation;
    const tasks = [...model.tasks.values()];
    if (tasks.length === 0) return;
    this.#decide(
      random.pick(tasks),
      random.pick(['approve', 'cancel', 'block', 'unblock', 'retry', 'reject'] as const),
    );
  }

  /** Looks at what waits for a person, and decides. */
  attend(): void {
    const { random, model } = this.#simulation;
    for (const task of model.tasks.values()) {
      if (task.state === 'review' && task.spec.review === 'manual' && random.chance(0.7)) {
        this.#decide(task, random.chance(0.7) ? 'approve' : 'reject');
      } else if (task.state === 'blocked' && random.chance(0.4)) {
        this.#decide(task, random.chance(0.7) ? 'unblock' : 'cancel');
      } else if ((task.state === 'failed' || task.state === 'expired') && random.chance(0.1)) {
        this.#decide(task, 'retry');
      }
    }
  }

  pauseAgent(): void {
    const agent = this.#simulation.random.pick(this.#agents);
    this.#tellAgent(agent, this.#simulation.random.pick(AGENT_DECISIONS));
  }

  resumeAgents(): void {
    for (const agent of this.#agents) this.#tellAgent(agent, 'resume');
  }

  #tellAgent(agent: string, decision: AgentDecision): void {
    const mark = this.#simulation.newMark();
    this.#simulation.command(mark, (app) =>
      decideAgent(app, agentId(agent), decision, { comment: mark }, 'user:somebody'),
    );
  }

  #decide(task: TaskModel, decision: keyof typeof DECISIONS | 'reject'): void {
    const mark = this.#simulation.newMark();
    const project = projectId(task.project);
    const id = taskId(task.id);
    this.#simulation.command(mark, (app) =>
      decision === 'reject'
        ? rejectTask(app, project, id, { comment: mark }, 'user:somebody')
        : DECISIONS[decision](app, project, id, { comment: mark }, 'user:somebody'),
    );
  }

  #request(project: string): Partial<CreateTask> {
    const { random, clock, model } = this.#simulation;
    const earlier = [...model.tasks.values()].filter((task) => task.project === project).map(({ id }) => id);
    const maybe = <Value>(probability: number, value: () => Value): Value | undefined =>
      random.chance(probability) ? value() : undefined;
    return {
      id: `t${++this.#tasks}`,
      ...(random.chance(0.5) ? { agent: random.pick(this.#agents) } : { type: random.pick(TYPES) }),
      priority: random.int(1, 10),
      delay_seconds: maybe(0.2, () => random.int(0, 30)),
      expires_at: maybe(0.2, () => new Date(clock.now() + random.int(0, 60_000)).toISOString()),
      timeout_seconds: maybe(0.2, () => random.int(1, 20)),
      silence_timeout_seconds: maybe(0.1, () => random.int(1, 8)),
      max_attempts: random.int(1, 4),
      review: random.chance(0.75) ? 'auto' : 'manual',
      outputs: random.chance(0.6) ? 'required' : 'optional',
      parent: maybe(earlier.length > 0 ? 0.25 : 0, () => random.pick(earlier)),
      join: maybe(0.25, () => true),
      depends_on: maybe(earlier.length > 0 ? 0.25 : 0, () => [
        ...new Set([random.pick(earlier), random.pick(earlier)]),
      ]),
      budget: maybe(0.15, () => ({ attempts: random.int(1, 4), wall_seconds: random.int(5, 60) })),
      follow_ups: maybe(0.2, () => [this.#followUp()]),
    };
  }

  #followUp(): NonNullable<CreateTask['follow_ups']>[number] {
    const { random } = this.#simulation;
    return {
      title: 'after {{task_id}}',
      description: '{{outputs}}',
      outputs: 'optional',
      type: random.pick(TYPES),
      max_attempts: random.int(1, 3),
      review: 'auto',
      delay_seconds: random.chance(0.3) ? random.int(1, 20) : undefined,
      follow_ups: random.chance(0.3) ? [{ ...this.#followUp(), follow_ups: undefined }] : undefined,
    };
  }
}
