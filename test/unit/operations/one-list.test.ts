/** Everything that is derived from the list of operations shows the same names, inputs and answers. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SignalboxClient } from '../../../src/client/client.ts';
import { openApiDocument } from '../../../src/http/openapi/document.ts';
import { commandOf, isCommand } from '../../../src/nats/command.ts';
import { asyncApi } from '../../../src/nats/description/asyncapi.ts';
import { OPERATIONS } from '../../../src/operations/index.ts';
import { type Operation, paramNames, takesBody } from '../../../src/operations/operation.ts';
import { ROOT } from '../../support/process/build.ts';

const ALL: readonly Operation[] = OPERATIONS;
const namesOf = (object: z.ZodType): string[] =>
  object instanceof z.ZodObject ? Object.keys(object.shape) : [];
const fieldsOf = (operation: Operation): string[] =>
  namesOf(takesBody(operation) ? operation.input.body : operation.input.query);

interface AsyncDocument {
  readonly channels: Readonly<Record<string, { readonly address: string | null } | undefined>>;
  readonly operations: Readonly<
    Record<
      string,
      { readonly reply?: { readonly messages: readonly { readonly $ref: string }[] } } | undefined
    >
  >;
  readonly components: {
    readonly messages: Readonly<
      Record<
        string,
        { readonly payload: { readonly properties?: object; readonly $ref?: string } } | undefined
      >
    >;
  };
}

describe('the list of operations', () => {
  it('has each name, and each method and path, once', () => {
    const names = ALL.map(({ name }) => name);
    const routes = ALL.map(({ http }) => `${http.method} ${http.path}`);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(routes).size).toBe(routes.length);
  });

  it.each(ALL.map((each) => [each.name, each] as const))(
    '%s has a schema for each path parameter, and no other input of that name',
    (_, operation) => {
      const { http, input } = operation;
      const params = paramNames(http.path);
      expect(namesOf(input.params)).toEqual(params);
      expect(fieldsOf(operation).filter((name) => params.includes(name))).toEqual([]);
      expect(namesOf(takesBody(operation) ? input.query : input.body)).toEqual([]);
    },
  );

  it('loads no module of the engine, the app and the servers', async () => {
    const seen = new Set<string>();
    const follow = async (file: string): Promise<void> => {
      if (seen.has(file)) return;
      seen.add(file);
      const source = await readFile(join(ROOT, file), 'utf8');
      const imports = [...source.matchAll(/^(?:import|export) (?!type)[^;]*? from '(\.[^']+)'/gms)];
      await Promise.all(imports.map(([, path = '']) => follow(join(file, '..', path))));
    };
    await follow('src/operations/index.ts');
    const rooms = new Set([...seen].map((file) => file.split('/').slice(0, 2).join('/')));
    expect([...rooms].sort()).toEqual(['src/base', 'src/contracts', 'src/operations']);
  });
});

describe('HTTP, NATS and the client', () => {
  const { paths } = openApiDocument(ALL, 'test');
  const document = JSON.parse(JSON.stringify(asyncApi('test'))) as AsyncDocument;

  it.each(ALL.map((each) => [each.name, each] as const))('show %s under one name', (name, operation) => {
    const { http, answers } = operation;
    const described = paths[http.path]?.[http.method.toLowerCase()];
    expect(described?.operationId).toBe(name);
    expect(SignalboxClient.prototype).toHaveProperty(name);
    const statuses = Object.keys(answers);
    expect(Object.keys(described?.responses ?? {})).toEqual(expect.arrayContaining(statuses));
    if (!isCommand(operation)) return;
    expect(document.channels[name]?.address).toBe(commandOf(operation, '{project}').subject);
    const replies = document.operations[name]?.reply?.messages.map(({ $ref }) => $ref) ?? [];
    expect(replies[0]).toBe(`#/channels/replies/messages/${name}_answer`);
    const { properties = {} } = document.components.messages[name]?.payload ?? {};
    expect(Object.keys(properties)).toEqual([...commandOf(operation).params, ...fieldsOf(operation)]);
    const body = described?.responses[statuses[0] ?? '']?.content?.['application/json']?.schema;
    if (body) expect(document.components.messages[`${name}_answer`]?.payload).toEqual(body);
  });
});
