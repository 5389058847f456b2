/**
 * Answers by agents: if the configuration of an agent names another one (`answered_by`), that one gets a task for each
 * question, below the task that asks.
 *
 * Which task there has to be, and what its answer does, follows from the log alone, as for reviews: the next start makes up
 * for a crash in between. Agents that ask each other end: for a question below an answer that is under way, neither the
 * agent that gives that answer nor the one that waits for it is asked. Nor do agents wait for each other's slots
 * (circles.ts). If no agent answers, people do.
 */
import { type QuestionView, questionOf, type TaskView } from '../../../../projections/index.ts';
import { sha256 } from '../../../base/hash.ts';
import { agentActor } from '../../../contracts/actors.ts';
import { type TaskRef, taskKey } from '../../../contracts/ids.ts';
import type { AnswerSpec } from '../../../contracts/questions.ts';
import { SETTLED_STATES } from '../../../contracts/tasks.ts';
import { answerTaskIds } from '../../runtime/task-ids.ts';
import { refOf, taskOf } from '../../runtime/views.ts';
import type { SupervisorContext } from '../supervisor-context.ts';
import { type CircleParts, isInCircle } from './circles.ts';
import { answerIn } from './printed-answer.ts';

interface AnsweringAgentsParts
  extends SupervisorContext,
    Pick<CircleParts, 'concurrency' | 'projectConcurrency'> {
  /** Decides the answer, if the question is open. */
  readonly answer: (question: QuestionView, answer: AnswerSpec, actor: string) => void;
}

const NO_SLOT =
  'no slot becomes free for it: what holds them waits for answers that depend on this one, so a person has to answer';

export class AnsweringAgents {
  readonly #options: AnsweringAgentsParts;

  constructor(options: AnsweringAgentsParts) {
    this.#options = options;
  }

  /** The task in which an agent answers the question; undefined if there is none. */
  taskOf(question: QuestionView): TaskView | undefined {
    for (const task of idsOf(question)) {
      const found = this.#view({ project: question.project, task });
      if (found && isAnswerTo(found, question)) return found;
    }
    return undefined;
  }

  /** Has an agent answer an open question, if one is to. Does nothing if it has its task. */
  takeUp(question: QuestionView): void {
    const { roster, host, decide } = this.#options;
    const { project, task, id } = question;
    const asking = this.#view(question);
    const answerer = roster.get(question.agent)?.questions?.answeredBy;
    if (!asking || answerer === undefined || !roster.get(answerer)) return;
    if (this.#idsInHost(question).length > 0 || this.#namesAbove(asking).has(answerer)) return;
    const free = idsOf(question).find((each) => !host.get('task', taskKey({ project, task: each })));
    if (free === undefined) return;
    const { priority, max_attempts, backoff, labels } = asking.spec;
    decide({
      type: 'task.created',
      project,
      task: free,
      spec: {
        // Without its text: a redaction of the question must not leave it here.
        title: `Answer a question of task ${task}`,
        description: '',
        type: 'answer',
        agent: answerer,
        priority,
        max_attempts,
        backoff,
        review: 'auto',
        outputs: 'optional',
        source: `question of ${task}`,
        labels,
        // In the same tree, so that it counts for the budget.
        parent: task,
        answers: { task, question: id },
      },
      request_sha256: hashOf(question),
    });
  }

  /** Applies the answer that a task has, or ends the task if its question is answered. */
  takeUpTask(task: TaskView): void {
    const { answers } = task.spec;
    if (answers === undefined || SETTLED_STATES.has(task.state)) return;
    const { projections, decide } = this.#options;
    const question = questionOf(
      projections.questions,
      { project: task.project, task: answers.task },
      answers.question,
    );
    const actor = agentActor(task.agent ?? task.spec.agent ?? '');
    if (question?.answer === null) {
      const answer = answerIn(task.outputs, question.spec);
      if (answer) this.#options.answer(question, answer, actor);
      else if (this.#isInCircle(task)) decide({ type: 'task.cancelled', ...refOf(task), reason: NO_SLOT });
      return;
    }
    // One that has answered, or has ended, is done by itself.
    if (task.state === 'review' || (question?.answer?.by === actor && task.openAttempt !== null)) return;
    const reason = `question ${answers.question} of task ${answers.task} is answered`;
    decide({ type: 'task.cancelled', ...refOf(task), reason });
  }

  /** Reacts to the stored answer of a question. */
  onAnswered(question: QuestionView): void {
    const task = this.taskOf(question);
    if (task) this.takeUpTask(task);
  }

  #isInCircle(task: TaskView): boolean {
    const answering: CircleParts['answering'] = ({ question, ...ref }) => {
      const view = questionOf(this.#options.projections.questions, ref, question);
      return view && this.taskOf(view);
    };
    return isInCircle({ ...this.#options, answering }, task);
  }

  /** Also a task whose creation is not stored yet. */
  #idsInHost(question: QuestionView): string[] {
    const { host } = this.#options;
    return idsOf(question).filter((task) => {
      const ref = { project: question.project, task };
      if (!host.get('task', taskKey(ref))) return false;
      const view = this.#view(ref);
      return view === undefined || isAnswerTo(view, question);
    });
  }

  /** The agents that answer, or wait for an answer, in the tasks above this one. */
  #namesAbove(task: TaskView): Set<string> {
    const names = new Set<string>();
    const seen = new Set<string>();
    let each: TaskView | undefined = task;
    while (each !== undefined && !seen.has(each.id)) {
      seen.add(each.id);
      const parent = this.#parentOf(each);
      const involved = each.spec.answers === undefined ? [] : [each.agent, each.spec.agent, parent?.agent];
      for (const name of involved) if (name) names.add(name);
      each = parent;
    }
    return names;
  }

  #parentOf({ project, spec: { parent } }: TaskView): TaskView | undefined {
    return parent === undefined ? undefined : this.#view({ project, task: parent });
  }

  #view(ref: TaskRef): TaskView | undefined {
    return taskOf(this.#options.projections, ref);
  }
}

/** Whether Signalbox created the task for an answer to this question. */
export function isAnswerTo({ spec: { answers } }: TaskView, { task, id }: QuestionView): boolean {
  return answers?.task === task && answers.question === id;
}

function idsOf(question: QuestionView): string[] {
  return answerTaskIds(question.task, question.id, hashOf(question));
}

function hashOf({ project, task, id }: QuestionView): string {
  return sha256(`answer to question ${id} of ${taskKey({ project, task })}`);
}
