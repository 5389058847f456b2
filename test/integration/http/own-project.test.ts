/** Lists of several projects: an attempt that names none gets those of its own, and never another one. */
import { describe, expect, it } from 'vitest';
import type { AttemptRef } from '../../../src/contracts/ids.ts';
import type { PeopleTokens } from '../../../src/operations/access/access.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, startHttp, type TestHttp, taskIn } from '../../support/http/http.ts';

/** There are tokens of people, or none are needed. */
const people = (isOpen: boolean): PeopleTokens => ({
  isEmpty: false,
  isOpen,
  find: (token) => (token === ADMIN.token ? { name: 'ann', role: 'admin' } : null),
});
const ADMIN = { token: 'of-ann' };

/** A question of an attempt in each project. @returns the tokens by project */
async function givenQuestions(http: TestHttp, ...projects: readonly string[]): Promise<Map<string, string>> {
  const tokens = new Map<string, string>();
  for (const project of projects) {
    const tasks = `/api/projects/${project}/tasks`;
    taskIn(await http.post(tasks, { id: 't', title: 't', agent: 'worker' }, ADMIN), 201);
    const { app } = http.test;
    const attempt: AttemptRef = { project, task: 't', attempt: 1 };
    await http.test.when(() =>
      app.state.host.get('attempt', `${project}/t/1`)?.state === 'running' ? true : undefined,
    );
    const token = app.supervision.tokens.tokenOf(attempt);
    const asked = await http.post(`${tasks}/t/questions`, { id: 'q', message: `of ${project}?` }, { token });
    expect(asked.status).toBe(201);
    tokens.set(project, token);
  }
  return tokens;
}

describe.each([
  ['with tokens', false],
  ['while no token is needed', true],
])('the list of open questions, %s', (_when, isOpen) => {
  it('has those of its own project for an attempt that names none, and all for a person', async () => {
    const agents = [functionAgent('worker', new Gate().handler, { concurrency: 2 })];
    await using http = await startHttp({ agents }, { people: people(isOpen) });
    const tokens = await givenQuestions(http, 'north', 'south');
    const listed = async (query: string, token: string | undefined): Promise<string[]> => {
      const { body } = await http.get(`/api/questions${query}`, token === undefined ? ADMIN : { token });
      return (body as { questions: { message: string }[] }).questions.map(({ message }) => message);
    };
    for (const [project, token] of tokens) {
      expect(await listed('', token)).toEqual([`of ${project}?`]);
      expect(await listed('?agent=worker', token)).toEqual([`of ${project}?`]);
    }
    expect(await listed('', undefined)).toEqual(['of north?', 'of south?']);
  });
});
