/** What agents have used, and what is not known of it, in everything that shows it; and budgets on the command line. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startUp, type TestUp } from '../../support/process/cli.ts';

/** An agent that prints its usage as JSON. */
const CONFIG = `
defaults: { review: auto, max_attempts: 1 }
drivers:
  meter:
    program: sh
    args: [-c, 'echo "$0"', '{usage}']
    options: { usage: null }
    output:
      format: json
      result: [text]
      text: text
      usage: { model: model, input_tokens: in, output_tokens: out, cost_usd: cost }
agents:
  paid: { driver: meter, options: { usage: '{"text":"x","model":"opus-5","in":8000,"out":2000,"cost":0.5}' } }
  free: { driver: meter, options: { usage: '{"text":"x","model":"local-1","in":900,"out":100}' } }
  priced: { driver: meter, options: { usage: '{"text":"x","model":"gpt-6","in":1000000,"out":0}' } }
  silent: { driver: command, command: [echo, done] }
prices:
  "gpt-*": { input: 2, output: 8 }
budgets:
  money: { period: day, cost_usd: 3 }
  words: { period: month, agent: free, tokens: 1000, zone: Asia/Tokyo }
`;

describe('what is not known', () => {
  let up: TestUp;
  const lines = async (...args: string[]): Promise<string[]> => {
    const { code, out, err } = await up.run(args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return out.trimEnd().split('\n');
  };
  const cells = (line: string | undefined): string[] => (line ?? '').trim().split(/ {2,}/);

  beforeAll(async () => {
    up = await startUp(CONFIG);
    for (const agent of ['paid', 'free', 'priced', 'silent']) {
      await up.client.createTask({ project: 'default', id: agent, title: `Work of ${agent}`, agent });
      expect((await up.settled(agent)).status).toBe('done');
    }
  });
  afterAll(() => up?.[Symbol.asyncDispose]());

  it('is unknown in rows, and "at least" in totals of "usage"', async () => {
    const [titles, ...rows] = await lines('usage', '--by', 'agent');
    expect(cells(titles)).toEqual(['AGENT', 'ATTEMPTS', 'INPUT', 'CACHED', 'OUTPUT', 'TOKENS', 'COST']);
    expect(rows.map(cells)).toEqual([
      ['priced', '1', '1,000,000', '0', '0', '1,000,000', '$2.00'],
      ['paid', '1', '8,000', '0', '2,000', '10,000', '$0.50'],
      ['free', '1', '900', '0', '100', '1,000', 'unknown'],
      ['silent', '1', '-', '-', '-', 'unknown', 'unknown'],
      ['total', '4', '1,008,900', '0', '2,100', 'at least 1,011,000', 'at least $2.50'],
      ['The tokens of 1 of 4 attempts are not known: no report.'],
      ['The cost of 2 of 4 attempts is not known: no report, and no price of the model.'],
      ['Of the cost, $2.00 is estimated from prices of the configuration.'],
    ]);
    expect((await lines('usage', '--by', 'agent', '--limit', '2')).map(cells)[3]).toEqual([
      '2 more rows',
      '2',
      '900',
      '0',
      '100',
      'at least 1,000',
      'unknown',
    ]);
  });

  it('is unknown in lists of tasks, of a task, of its attempts, and in its report', async () => {
    const list = await up.client.listTasks({ project: 'default' });
    const costs = Object.fromEntries(
      list.tasks.map(({ id, usage }) => [id, [usage?.cost_usd, usage?.attempts_without_cost]]),
    );
    expect(costs).toEqual({ paid: [0.5, 0], free: [null, 1], priced: [2, 0], silent: [null, 1] });
    const rows = await lines('task', 'ls');
    const [titles = ''] = rows;
    const place = titles.indexOf('COST') + 'COST'.length;
    const shown = Object.fromEntries(
      rows.slice(1).map((row) => [cells(row)[0], row.slice(0, place).split(' ').at(-1)]),
    );
    expect(shown).toEqual({ paid: '$0.50', free: 'unknown', priced: '$2.00', silent: 'unknown' });
    for (const [task, cost] of [
      ['silent', 'unknown'],
      ['paid', '$0.50'],
    ] as const) {
      const page = await lines('task', 'show', task);
      expect(page.join('\n')).toMatch(new RegExp(`^ *Cost +${cost.replace('$', '\\$')}$`, 'im'));
      expect(page.filter((line) => line.trimEnd().endsWith(cost)).length).toBeGreaterThan(0);
    }
    const { out: report } = await up.run(['audit', 'report', 'silent', '--format', 'md']);
    expect(report.match(/Cost.*unknown/g)).toHaveLength(2);
    expect(report).not.toContain('$0');
  });

  it('has no value in /metrics, where 0 would mean that nothing was used', async () => {
    const text = await (await fetch(`${up.url}/metrics`)).text();
    const of = (name: string): string[] =>
      text
        .split('\n')
        .filter((line) => line.startsWith(`signalbox_usage_${name}_total{`))
        .sort();
    expect(of('cost_usd')).toEqual([
      'signalbox_usage_cost_usd_total{agent="paid",model="opus-5",source="estimated"} 0',
      'signalbox_usage_cost_usd_total{agent="paid",model="opus-5",source="reported"} 0.5',
      'signalbox_usage_cost_usd_total{agent="priced",model="gpt-6",source="estimated"} 2',
      'signalbox_usage_cost_usd_total{agent="priced",model="gpt-6",source="reported"} 0',
    ]);
    expect(of('attempts_without_cost').filter((line) => line.endsWith(' 1'))).toHaveLength(2);
    expect(of('tokens').some((line) => line.includes('silent'))).toBe(false);
  });

  it('is "at least" in what is used of a budget, and in what it warns of', async () => {
    const rows = (await lines('budget', 'ls')).slice(1).map(cells);
    expect(rows.map((row) => row.slice(0, 5))).toEqual([
      ['money', 'all agents', 'day (UTC)', 'warned', 'at least $2.50 of $3.00'],
      ['words', 'agent free', 'month (Asia/Tokyo)', 'exhausted', '1,000 of 1,000 tokens'],
    ]);
    const { budgets } = await up.client.readBoard({});
    expect(budgets.map(({ detail }) => detail)).toEqual([
      'at least $2.50 of $3.00 are used this day',
      '1,000 of 1,000 tokens are used this month: agent free can start no attempts',
    ]);
  });

  it('the agent of a used-up budget, doctor and /health say so', async () => {
    const why =
      'budget words of agent free for this month is used up: 1,000 of 1,000 tokens are used, until ';
    const agents = await lines('agent', 'ls');
    expect(agents.find((line) => line.startsWith('free'))).toContain(why);
    expect(agents.filter((line) => line.includes('budget'))).toHaveLength(1);
    expect((await lines('agent', 'show', 'free')).join(' ')).toContain(why);
    const { budgets } = await up.client.readHealth();
    expect(budgets.map(({ id, status }) => [id, status])).toEqual([
      ['money', 'warned'],
      ['words', 'exhausted'],
    ]);
    const { out } = await up.run(['doctor']);
    expect(out).toMatch(
      /^warn +budget +words is used up: it holds back attempts until \S+\n.*budget raise words/m,
    );
    expect(out).toMatch(/^warn +budget +money is nearly used up until /m);
  });

  it('and a raise of a budget frees its agent', async () => {
    await up.run(['task', 'add', 'More', '--agent', 'free', '--id', 'more']);
    const [, why] = await lines('task', 'why', 'more');
    expect(why).toContain('1,000 of 1,000 tokens are used');
    expect((await up.run(['budget', 'raise', 'words', '--tokens', '900'])).code).toBe(2);
    expect(await lines('budget', 'raise', 'words', '--tokens', '5000', '--comment', 'release')).toEqual([
      'budget words is open: 1,000 of 5,000 tokens',
    ]);
    expect((await up.settled('more')).status).toBe('done');
    expect((await lines('agent', 'ls')).join()).not.toContain('budget');
  });
});
