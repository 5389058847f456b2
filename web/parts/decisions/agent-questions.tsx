/** The open questions of agents, first of what needs attention. */
import type { BoardCard } from '../../../src/contracts/api/board.ts';
import type { QuestionJson } from '../../../src/contracts/api/questions.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import { path, post } from '../../api/http.ts';
import { past } from '../../state/past.ts';
import { useResource } from '../../state/resource.ts';
import { mayNow } from '../../state/rights.ts';
import { decider } from '../../state/session.ts';
import { Ago, Section } from '../base/basics.tsx';
import { attemptHref, TaskName } from '../base/links.tsx';
import { notify } from '../base/notices.tsx';
import { AnswerForm, type GivenAnswer } from './answer-form.tsx';

interface QuestionsProps {
  /** The tasks that ask. */
  readonly cards: readonly BoardCard[];
}

export function Questions({ cards }: QuestionsProps) {
  const version = cards.map(({ sequence }) => sequence).join();
  // The questions of a past moment are named on the cards of the board only.
  const isAsking = cards.length > 0 && past.value === null;
  const { value, reload } = useResource<{ questions: QuestionJson[] }>(isAsking ? '/api/questions' : null, {
    version,
  });
  const questions = value?.questions ?? [];
  if (!isAsking || questions.length === 0) return null;
  return (
    <Section title="Questions" count={questions.length}>
      <ul class="rows" data-group>
        {questions.map((question) => (
          <li class="row" data-item key={`${taskKey(question)}/${question.id}`}>
            <div class="row-main">
              <span class="row-facts">
                <a href={attemptHref({ project: question.project, id: question.task }, question.attempt)}>
                  {question.agent} asks
                </a>
                <TaskName project={question.project} id={question.task} />
                <span class="dim">
                  <Ago time={question.asked_at} />
                </span>
              </span>
              <AnswerForm
                question={question}
                mayAnswer={mayNow('operate')}
                send={(answer) => send(question, answer, reload)}
              />
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

async function send(question: QuestionJson, answer: GivenAnswer, reload: () => void): Promise<void> {
  const { project, task, id } = question;
  await post(path`/api/projects/${project}/tasks/${task}/questions/${id}/answer`, {
    ...decider(),
    ...answer,
  });
  notify(`The question of ${question.agent} is answered.`);
  reload();
}
