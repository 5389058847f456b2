import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type AttemptView, attemptHistory, blackboard, type TaskView } from '../../../projections/index.ts';
import { askQuestionSchema } from '../../../src/contracts/api/questions.ts';
import {
  addCommentSchema,
  addOutputSchema,
  heartbeatSchema,
  statusReportSchema,
} from '../../../src/contracts/api/requests.ts';
import type { DomainEvent, Transition } from '../../../src/contracts/events/events.ts';
import { taskSpecSchema } from '../../../src/contracts/tasks.ts';
import { ActorHost } from '../../../src/engine/runtime/actor-host.ts';
import { buildPrompt, type PromptInput } from '../../../src/engine/supervisor/prompts/prompt.ts';

const address = { project: 'demo', task: 't1' };
const SPEC = taskSpecSchema.parse({
  title: 'Review the parser',
  description: 'Look for crashes.',
  action: 'code_review',
  params: { files: ["it's.ts", '"b".ts'] },
  must_haves: ['line numbers', 'a verdict'],
  priority: 5,
  max_attempts: 3,
  backoff: {},
  review: 'manual',
  outputs: 'required',
});

/** What the projections show of a task after these events. */
function afterEvents(...events: DomainEvent[]): { task: TaskView; earlier: readonly AttemptView[] } {
  const host = new ActorHost();
  const board = blackboard.initial();
  const attempts = attemptHistory.initial();
  const created: DomainEvent = { type: 'task.created', ...address, spec: SPEC, request_sha256: '' };
  const agent: DomainEvent = {
    type: 'agent.registered',
    agent: 'yunce',
    driver: 'command',
    capabilities: [],
    concurrency: 1,
  };
  for (const [index, event] of [created, agent, ...events].entries()) {
    const transitions: Transition[] = host.apply(event);
    const record = {
      ...{ id: `w-${index}`, time: index, actor: 'user:ada', cause: undefined, previousHash: '', left: 0 },
      ...{ sequence: index + 1, event, transitions },
    };
    blackboard.evolve(board, record);
    attemptHistory.evolve(attempts, record);
  }
  const task = board.tasks.get('demo/t1');
  if (!task) throw new Error('the task is not on the blackboard');
  return { task, earlier: attempts.byTask.get('demo/t1') ?? [] };
}

const attempt = (number: number) => ({ ...address, attempt: number, agent: 'yunce' });
const claimed = (number: number): DomainEvent => ({ type: 'task.claimed', ...attempt(number) });
const started = (number: number): DomainEvent => ({
  type: 'attempt.started',
  ...attempt(number),
  driver: 'command',
  host: 'h',
  deadline_ms: 0,
});

function promptOf(input: Partial<PromptInput> = {}): string {
  return buildPrompt({
    ...afterEvents(claimed(1)),
    attempt: 1,
    agent: 'yunce',
    earlier: [],
    url: 'http://127.0.0.1:8083',
    token: 'the-token_1',
    language: 'en',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    prompting: { isPublic: false, passesEnvironment: true },
    ...input,
  });
}

/** A second attempt, after one that failed and one whose result was sent back. */
function retried(): { task: TaskView; earlier: readonly AttemptView[] } {
  const output = { type: 'document', title: 'Findings', content: 'nothing found', agent: 'yunce' } as const;
  const { task, earlier } = afterEvents(
    claimed(1),
    started(1),
    {
      type: 'attempt.ended',
      ...attempt(1),
      outcome: 'failed',
      exit_code: 2,
      error: 'exited with code 2',
      stderr_tail: 'Traceback: out of memory',
      retry_at_ms: 10,
    },
    { type: 'task.due', ...address },
    claimed(2),
    started(2),
    { type: 'task.output_added', ...address, attempt: 2, output },
    { type: 'attempt.ended', ...attempt(2), outcome: 'completed', exit_code: 0, retry_at_ms: null },
    { type: 'task.rejected', ...address, comment: 'The lexer is missing.' },
    claimed(3),
  );
  return { task, earlier: earlier.slice(0, 2) };
}

describe('the prompt', () => {
  it('has the task, its parameters and what the result must have', () => {
    const prompt = promptOf();
    expect(prompt).toMatch(/^# Task: Review the parser\n\nProject demo, task t1, attempt 1 of 3\.\n/);
    for (const part of ['Look for crashes.', 'code_review', "it's.ts", '- line numbers', '- a verdict']) {
      expect(prompt).toContain(part);
    }
    expect(prompt).toContain('pending → claimed → working → review → done');
    expect(prompt).not.toContain('Earlier attempts');
  });

  it('has, on a retry, the outcome and outputs of each earlier attempt, and the comments of the reviewer', () => {
    const prompt = promptOf({ ...retried(), attempt: 3 });
    expect(prompt).toContain('attempt 3 of 3');
    expect(prompt).toContain('Attempt 1 (yunce): failed: exited with code 2');
    expect(prompt).toContain('Traceback: out of memory');
    expect(prompt).toContain('Attempt 2 (yunce): completed');
    expect(prompt).toContain('Findings: nothing found');
    expect(prompt).toContain('Why it was sent back: The lexer is missing.');
    expect(prompt).toContain('- ada: The lexer is missing.');
  });

  it('has the sentences in Chinese, and leaves names unchanged', () => {
    const prompt = promptOf({ ...retried(), attempt: 3, language: 'zh' });
    expect(prompt).toMatch(/^# 任务: Review the parser\n/);
    for (const part of ['之前的尝试', '退回原因', 'The lexer is missing.', '如何上报', '409', 'review']) {
      expect(prompt).toContain(part);
    }
    for (const sentence of ['Task lifecycle', 'Earlier attempts', 'If these calls fail']) {
      expect(prompt).not.toContain(sentence);
    }
  });

  it('repeats only the beginning of a long text', () => {
    const { task } = retried();
    const long = { ...task, reason: `${'x'.repeat(2_000)}the end` };
    expect(promptOf({ task: long })).not.toContain('the end');
    expect(promptOf({ task: long })).toContain(`${'x'.repeat(2_000)}…`);
  });

  it.each(['en', 'zh'] as const)('names no calls if the agent cannot reach Signalbox: %s', (language) => {
    const prompt = promptOf({ url: null, token: '', language });
    expect(prompt).not.toMatch(/curl|Bearer|http/);
  });

  it.each(['en', 'zh'] as const)(
    'gives calls that a shell runs as meant, with bodies that are accepted: %s',
    async (language) => {
      const script = /```sh\n([\s\S]*?)```/.exec(promptOf({ language, agent: 'Agent_1-b' }))?.[1] ?? '';
      const calls = await callsOf(script);
      const schemas = {
        status: statusReportSchema,
        heartbeat: heartbeatSchema,
        outputs: addOutputSchema,
        questions: askQuestionSchema,
        comments: addCommentSchema,
      };
      const base = 'http://127.0.0.1:8083/api/projects/demo/tasks/t1';
      const said = calls.map((args) => {
        const url = args.find((arg) => arg.startsWith('http')) ?? '';
        expect(args).toContain('Authorization: Bearer the-token_1');
        const body = args[args.indexOf('-d') + 1] ?? '';
        if (!args.includes('-d')) return url;
        const name = url.slice(base.length + 1) as keyof typeof schemas;
        const parsed = schemas[name].parse(JSON.parse(body));
        return 'status' in parsed && 'agent' in parsed ? `${name} ${parsed.status} ${parsed.agent}` : name;
      });
      expect(said).toEqual([
        'status working Agent_1-b',
        'heartbeat',
        'outputs',
        'questions',
        `${base}/questions/ID?wait=60`,
        'comments',
        'status review Agent_1-b',
        'status failed Agent_1-b',
        'status blocked Agent_1-b',
        `${base}?expand=all`,
      ]);
    },
  );
});

/** The arguments of each `curl` that the script calls, as a shell understands them. */
async function callsOf(script: string): Promise<string[][]> {
  const curl = `curl() { for arg in "$@"; do printf '%s\\n' "$arg"; done; printf '\\0'; }\n`;
  const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', curl + script]);
  return stdout
    .split('\0')
    .filter((call) => call !== '')
    .map((call) => call.trimEnd().split('\n'));
}
