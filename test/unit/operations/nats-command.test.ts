import { describe, expect, it } from 'vitest';
import { commandOf, isCommand } from '../../../src/nats/command.ts';
import { OPERATIONS } from '../../../src/operations/index.ts';
import type { Operation } from '../../../src/operations/operation.ts';

const OFFERED: readonly Operation[] = OPERATIONS.filter(isCommand);

const commandNamed = (name: string) => {
  const operation = OFFERED.find((each) => each.name === name);
  return operation && commandOf(operation);
};

describe('an operation as a NATS command', () => {
  it('has a subject of its own, from its name', () => {
    const subjects = OFFERED.map((each) => commandOf(each).subject);
    expect(new Set(subjects).size).toBe(OFFERED.length);
    for (const subject of subjects) {
      expect(subject).toMatch(/^signalbox\.v1\.cmd\.(\*|_system|default|_background)\.[A-Za-z]+$/);
    }
    const names = OFFERED.map(({ name }) => name);
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

  it('is answered with one message: streams are no commands', () => {
    const kinds = OFFERED.flatMap(({ answers }) => Object.values(answers).map(({ mediaType }) => mediaType));
    expect(kinds).not.toContain('text/event-stream');
    expect(OFFERED.map(({ name }) => name)).not.toContain('followEvents');
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
