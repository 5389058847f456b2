import { describe, expect, it } from 'vitest';
import type { AppContext } from '../../../src/app/context.ts';
import type { TaskNews } from '../../../src/app/events/task-news.ts';
import { commandOf } from '../../../src/nats/command.ts';
import type { Operation, Serve } from '../../../src/operations/operation.ts';
import { serveOperations } from '../../../src/operations/routes/index.ts';

type Declared = Pick<Operation<never, never, never>, 'name' | 'method' | 'path' | 'project' | 'answers'>;

const notAsked = (): never => {
  throw new Error('not asked');
};

/** Those of NATS. No handler is called: what is declared needs no engine. */
function declared(): readonly Declared[] {
  const found: Declared[] = [];
  const serve: Serve = (operation) => {
    found.push(operation);
  };
  serveOperations(serve, {
    app: {} as AppContext,
    news: {} as TaskNews,
    health: notAsked,
    webhooks: { list: notAsked, letters: notAsked, redeliver: notAsked, discard: notAsked },
  });
  return found;
}

const commandNamed = (name: string) => {
  const operation = declared().find((each) => each.name === name);
  return operation && commandOf(operation);
};

describe('an operation as a NATS command', () => {
  it('has a subject of its own, made of its name', () => {
    const operations = declared();
    const subjects = operations.map((each) => commandOf(each).subject);
    expect(new Set(subjects).size).toBe(operations.length);
    for (const subject of subjects) {
      expect(subject).toMatch(/^signalbox\.v1\.cmd\.(\*|_system|default)\.[A-Za-z]+$/);
    }
    const names = operations.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'createTask',
        'createJob',
        'listRejectedMessages',
        'listWebhooks',
        'readHealth',
      ]),
    );
  });

  it('is answered with one message: nothing streams', () => {
    const kinds = declared().flatMap(({ answers }) =>
      Object.values(answers).map(({ mediaType }) => mediaType),
    );
    expect(kinds).not.toContain('text/event-stream');
    expect(declared().map(({ name }) => name)).not.toContain('followEvents');
  });

  it('takes the project from the subject, and everything else that the path names from the payload', () => {
    expect(commandNamed('readAttemptLog')).toEqual({
      subject: 'signalbox.v1.cmd.*.readAttemptLog',
      isOfProject: true,
      params: ['task', 'attempt'],
    });
    expect(commandNamed('pauseAgent')).toEqual({
      subject: 'signalbox.v1.cmd._system.pauseAgent',
      isOfProject: false,
      params: ['agent'],
    });
    expect(commandNamed('pauseQueue')).toEqual({
      subject: 'signalbox.v1.cmd._system.pauseQueue',
      isOfProject: false,
      params: ['kind', 'name'],
    });
    expect(commandNamed('readJob')).toEqual({
      subject: 'signalbox.v1.cmd.default.readJob',
      isOfProject: false,
      params: ['task'],
    });
  });
});
