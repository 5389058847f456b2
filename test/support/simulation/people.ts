/** Users at random: they create tasks, review, cancel, block and pause. */

import { openQuestions } from '../../../projections/index.ts';
import { AGENT_DECISIONS, type AgentDecision, decideAgent } from '../../../src/app/agents/agents.ts';
import { extendAttempt, killAttempt } from '../../../src/app/attempts/attempts.ts';
import { raiseBudget, registerBudgets } from '../../../src/app/budgets/budgets.ts';
import { decideQueue, type QueueDecision } from '../../../src/app/overview/queues.ts';
import { answerQuestion } from '../../../src/app/questions/questions.ts';
import {
  createSchedule,
  decideSchedule,
  type ScheduleDecision,
} from '../../../src/app/schedules/schedules.ts';
import { createTask } from '../../../src/app/tasks/create-task.ts';
import { PERIODS } from '../../../src/base/periods.ts';
import { answerQuestionSchema } from '../../../src/contracts/api/questions.ts';
import { type CreateTask, createTaskSchema } from '../../../src/contracts/api/requests.ts';
import { createScheduleSchema } from '../../../src/contracts/api/schedules.ts';
import { type BudgetConfig, budgetConfigSchema } from '../../../src/contracts/api/usage/budgets.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import { CATCH_UPS, OVERLAPS } from '../../../src/contracts/schedules.ts';
import { queueOf, type TaskModel } from './log-entities.ts';
import { randomChild, randomParent, randomRequest } from './random-requests.ts';
import type { Simulation } from './simulation.ts';
import { decideTask, TASK_DECISIONS, type TaskDecision } from './use-cases.ts';

const PROJECTS = ['north', 'south', 'west'] as const;
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

  createTask(): void {
    const { random, clock, model } = this.#simulation;
    const project = random.pick(this.#projects);
    const earlier = [...model.tasks.values()].filter((task) => task.project === project).map(({ id }) => id);
    this.#create(project, randomRequest({ random, now: clock.now(), agents: this.#agents, earlier }));
  }

  /** A parent and its children, who come while it works, waits or is in review. */
  createFamily(): void {
    const { random, clock } = this.#simulation;
    const project = random.pick(this.#projects);
    const parent = this.#create(project, randomParent(random));
    const at = random.int(0, 2_000);
    for (let child = random.int(1, 4); child > 0; child--) {
      clock.schedule(at, () => this.#create(project, randomChild(random, parent)));
    }
  }

  /** Decides something about some task, sensible or not; as a rule about one that is under way. */
  meddle(): void {
    const { random, model } = this.#simulation;
    const tasks = [...model.tasks.values()];
    const open = tasks.filter((task) => task.open !== null);
    const task = random.pick(random.chance(0.7) && open.length > 0 ? open : [...tasks, null]);
    if (task === null) return;
    if (task.open !== null && random.chance(0.3)) {
      if (random.chance(0.6)) this.#kill(task, task.open);
      else this.#extend(task, task.open, random.int(1, 40));
    } else this.#decide(task, random.pick(TASK_DECISIONS));
  }

  /** Looks at what waits for a person, and decides. */
  attend(): void {
    const { random, model } = this.#simulation;
    for (const task of model.tasks.values()) {
      if (task.state === 'review' && this.#isAskedFor(task) && random.chance(0.7)) {
        this.#decide(task, random.chance(0.7) ? 'approve' : 'reject');
      } else if (task.state === 'blocked' && random.chance(0.4)) {
        this.#decide(task, random.chance(0.7) ? 'unblock' : 'cancel');
      } else if ((task.state === 'failed' || task.state === 'expired') && random.chance(0.2)) {
        this.#decide(task, 'retry');
      }
    }
  }

  /** Whether a person decides about a task in review: also about one that could not be merged. */
  #isAskedFor({ project, id, spec }: TaskModel): boolean {
    const { node } = this.#simulation;
    const workspaces = node?.isOpen ? node.engine.projections.workspaces.byTask : undefined;
    return spec.review === 'manual' || (workspaces?.get(taskKey({ project, task: id }))?.isStuck ?? false);
  }

  /** Answers some of the open questions. */
  answer(): void {
    const { random, callers, node } = this.#simulation;
    if (!node?.isOpen) return;
    for (const { project, task, id: question } of openQuestions(node.engine.projections.questions)) {
      if (random.chance(0.4)) continue;
      const answer = answerQuestionSchema.parse({ option: random.pick(['yes', 'no']) });
      const caller = { actor: 'user:test', token: null };
      callers.command(null, (app) => answerQuestion(app, { project, task, question }, answer, caller));
    }
  }

  pauseAgent(): void {
    const agent = this.#simulation.random.pick(this.#agents);
    this.#tellAgent(agent, this.#simulation.random.pick(AGENT_DECISIONS));
  }

  resumeAgents(): void {
    for (const agent of this.#agents) this.#tellAgent(agent, 'resume');
  }

  /** One in which a task waits, or has waited. */
  pauseQueue(): void {
    const { random, model } = this.#simulation;
    const tasks = [...model.tasks.values()];
    if (tasks.length > 0) this.#decideQueue(queueOf(random.pick(tasks)), 'pause');
  }

  resumeQueues(): void {
    const queues = new Set([...this.#simulation.model.tasks.values()].map(queueOf));
    for (const queue of queues) this.#decideQueue(queue, 'resume');
  }

  /** Tasks of a schedule take their turn with all others. */
  createSchedule(): void {
    const { random, callers } = this.#simulation;
    const request = createScheduleSchema.parse({
      id: `s${random.int(1, 3)}`,
      project: random.pick(this.#projects),
      every_seconds: random.int(10, 40),
      overlap: random.pick(OVERLAPS),
      catch_up: random.pick(CATCH_UPS),
      pause_on_failure: random.chance(0.3),
      task: { title: 'on time', agent: random.pick(this.#agents), review: 'auto', outputs: 'optional' },
    });
    callers.command(null, (app) => createSchedule(app, request, 'user:test'));
  }

  /** Budgets that are soon used up; the next ones replace them. */
  setBudgets(): void {
    const { random, callers } = this.#simulation;
    const budget = (): BudgetConfig =>
      budgetConfigSchema.parse({
        period: random.pick(PERIODS),
        zone: random.pick(['UTC', 'America/New_York', 'Asia/Kathmandu']),
        ...random.pick([{}, { agent: random.pick(this.#agents) }, { project: random.pick(this.#projects) }]),
        ...random.pick([{ tokens: random.int(1, 3_000) }, { attempts: random.int(1, 10) }]),
      });
    const budgets = { b1: budget(), b2: budget() };
    callers.command(null, (app) => registerBudgets(app, budgets));
  }

  raiseBudgets(): void {
    const { random, callers } = this.#simulation;
    const raise = random.pick([{ tokens: random.int(1, 9_000) }, { attempts: random.int(1, 30) }]);
    for (const id of ['b1', 'b2']) callers.command(null, (app) => raiseBudget(app, id, raise, 'user:test'));
  }

  removeBudgets(): void {
    this.#simulation.callers.command(null, (app) => registerBudgets(app, {}));
  }

  meddleWithSchedules(): void {
    const decision = this.#simulation.random.pick(['pause', 'resume', 'trigger'] as const);
    this.#decideSchedules(decision);
  }

  removeSchedules(): void {
    this.#decideSchedules('remove');
  }

  #decideSchedules(decision: ScheduleDecision): void {
    for (const id of ['s1', 's2', 's3']) {
      this.#simulation.callers.command(null, (app) => decideSchedule(app, id, decision, {}, 'user:test'));
    }
  }

  #decideQueue(queue: string, decision: QueueDecision): void {
    const kind = queue.startsWith('agent:') ? 'agent' : 'type';
    const name = queue.slice(kind.length + 1);
    const mark = this.#simulation.callers.newMark();
    this.#simulation.callers.command(mark, (app) =>
      decideQueue(app, { kind, name }, decision, { comment: mark }, 'user:test'),
    );
  }

  #tellAgent(agent: string, decision: AgentDecision): void {
    const mark = this.#simulation.callers.newMark();
    this.#simulation.callers.command(mark, (app) =>
      decideAgent(app, agent, decision, { comment: mark }, 'user:test'),
    );
  }

  #decide(task: TaskModel, decision: TaskDecision): void {
    const mark = this.#simulation.callers.newMark();
    // The priority that a task has already is not recorded.
    const recorded = decision === 'priority' ? null : mark;
    this.#simulation.callers.command(recorded, (app) => decideTask(app, decision, task, mark));
  }

  #kill({ project, id }: TaskModel, attempt: number): void {
    this.#simulation.callers.command(null, (app) =>
      killAttempt(app, { project, task: id, attempt }, {}, 'user:test'),
    );
  }

  #extend({ project, id }: TaskModel, attempt: number, seconds: number): void {
    this.#simulation.callers.command(null, (app) =>
      extendAttempt(app, { project, task: id, attempt }, { seconds }, 'user:test'),
    );
  }

  /** Asks for a task; now and then for the same one twice. */
  #create(project: string, request: Partial<CreateTask>): string {
    const { random, clock } = this.#simulation;
    const id = `t${++this.#tasks}`;
    const mark = this.#simulation.callers.newMark();
    const parsed = createTaskSchema.parse({ title: mark, id, ...request });
    const send = (): void =>
      this.#simulation.callers.command(mark, (app) =>
        createTask(app, project, parsed, { actor: 'user:test', attempt: null }),
      );
    send();
    if (random.chance(0.15)) clock.schedule(random.int(0, 3_000), send);
    return id;
  }
}
