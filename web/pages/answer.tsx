/** The page of an answer link: one question, without the rest of the dashboard. The link is not sent as part of the address. */
import { useSignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { path, post } from '../api/http.ts';
import { Loading, Trouble } from '../parts/base/basics.tsx';
import { AnswerForm, type AskedQuestion, type GivenAnswer } from '../parts/decisions/answer-form.tsx';
import { useResource } from '../state/resource.ts';

export const ANSWER_PATH = '/ui/answer';

/** The link in the address, which another one can replace while the page is open. */
function useLink(): string {
  const [link, setLink] = useState(linkInAddress);
  useEffect(() => {
    const follow = (): void => setLink(linkInAddress());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return link;
}

function linkInAddress(): string {
  return location.hash.slice(1);
}

export function AnswerPage() {
  const link = useLink();
  const url = path`/api/answer-links/${link}`;
  /** The link that was used. */
  const used = useSignal<string | null>(null);
  const isDone = used.value === link;
  const { value: question, error, reload } = useResource<AskedQuestion>(isDone ? null : url);
  const send = async (answer: GivenAnswer): Promise<void> => {
    await post(url, answer);
    used.value = link;
  };
  return (
    <main class="answer-page" id="main">
      <h1>Question</h1>
      {isDone && <p role="status">Your answer was recorded. You can close this page.</p>}
      {!isDone && error && <Trouble error={error} retry={reload} />}
      {!isDone && !error && !question && <Loading what="the question" />}
      {!isDone && question && <AnswerForm key={question.id} question={question} mayAnswer send={send} />}
    </main>
  );
}
