/** The page of an answer link: one question, without the rest of the dashboard. The link is not sent as part of the address. */
import { useSignal } from '@preact/signals';
import { path, post } from '../api/http.ts';
import { Loading, Trouble } from '../parts/base/basics.tsx';
import { AnswerForm, type AskedQuestion, type GivenAnswer } from '../parts/decisions/answer-form.tsx';
import { useResource } from '../state/resource.ts';

export const ANSWER_PATH = '/ui/answer';

export function AnswerPage() {
  const link = location.hash.slice(1);
  const url = path`/api/answer-links/${link}`;
  const isDone = useSignal(false);
  const { value: question, error, reload } = useResource<AskedQuestion>(isDone.value ? null : url);
  const send = async (answer: GivenAnswer): Promise<void> => {
    await post(url, answer);
    isDone.value = true;
  };
  return (
    <main class="answer-page" id="main">
      <h1>Question</h1>
      {isDone.value && <p role="status">Your answer was recorded. You can close this page.</p>}
      {!isDone.value && error && <Trouble error={error} retry={reload} />}
      {!isDone.value && !error && !question && <Loading what="the question" />}
      {!isDone.value && question && <AnswerForm question={question} mayAnswer send={send} />}
    </main>
  );
}
