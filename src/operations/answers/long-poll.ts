/** Asking for a task and waiting for news of it, in one request. */
import type { TaskView } from '../../../projections/index.ts';
import type { TaskNews } from '../../app/events/task-news.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import type { Call } from '../operation.ts';
import { isCurrent } from './entity-tag.ts';

/** Milliseconds that a query asks to wait. */
export const patienceOf = ({ wait }: { readonly wait: number }): number => wait * 1_000;

/**
 * Waits as long as the query says: with If-None-Match until the task has another tag, without until it is settled.
 * @param task as it is now; one that leaves memory meanwhile has settled
 */
export async function awaitNews(
  news: TaskNews,
  {
    query,
    headers,
    gone,
  }: Pick<Call<unknown, { readonly wait: number }, unknown>, 'query' | 'headers' | 'gone'>,
  task: TaskView,
  tagOf: (task: TaskView) => string,
): Promise<void> {
  const known = headers['if-none-match'];
  const isNews = (now: TaskView): boolean =>
    known === undefined ? SETTLED_STATES.has(now.state) : !isCurrent(tagOf(now), known);
  await news.until(task, isNews, patienceOf(query), gone);
}
