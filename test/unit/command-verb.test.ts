import { describe, expect, it } from 'vitest';
import type { AppContext } from '../../src/app/context.ts';
import type { Serve } from '../../src/http/operation.ts';
import { serveOperations } from '../../src/http/routes/index.ts';
import { type Command, commandOf } from '../../src/nats/command-verb.ts';

/** No handler is called: what is declared needs no engine. */
function declared(): { readonly operation: string; readonly command: Command | null }[] {
  const found: ReturnType<typeof declared> = [];
  const serve: Serve = (operation) => {
    found.push({ operation: `${operation.method} ${operation.path}`, command: commandOf(operation) });
  };
  const health = (): never => {
    throw new Error('not asked');
  };
  serveOperations(serve, { app: {} as AppContext, health });
  return found;
}

describe('the names of commands', () => {
  it('are there for every operation of HTTP, and each is one of its kind', () => {
    const names = declared().map(({ operation, command }) => {
      expect(command, operation).not.toBeNull();
      return `${command?.isOfProject ? 'project' : 'system'} ${command?.verb}`;
    });
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^(project|system) [a-z]+(_[a-z]+)*$/);
  });

  it('follow from method and path', () => {
    const verbOf = (method: 'GET' | 'POST', path: string): string | undefined =>
      commandOf({ method, path })?.verb;
    expect(verbOf('POST', '/api/projects/:project/tasks')).toBe('task_create');
    expect(verbOf('GET', '/api/projects/:project/tasks/:task')).toBe('task_get');
    expect(verbOf('POST', '/api/projects/:project/tasks/:task/status')).toBe('task_status');
    expect(verbOf('GET', '/api/projects/:project/tasks/:task/attempts/:attempt/log')).toBe('attempt_log');
    expect(verbOf('GET', '/api/dead-letters')).toBe('dead_letter_list');
    expect(verbOf('POST', '/api/dead-letters/redrive')).toBe('dead_letter_redrive');
    expect(verbOf('GET', '/api/processes')).toBe('process_list');
    expect(commandOf({ method: 'POST', path: '/hooks/any' })).toBeNull();
  });
});
