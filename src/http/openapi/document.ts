/**
 * The OpenAPI 3.1 document, made of the declared operations: what is served is what is described.
 *
 * D1 It lists every status that an operation may answer, and no other (O3 of operation.ts).
 */
import { z } from 'zod';
import { problemSchema } from '../../contracts/api/answers.ts';
import { ERROR_CODES, type ErrorCode } from '../../contracts/errors.ts';
import { ID_PATTERN } from '../../contracts/ids.ts';
import type { Access } from '../../operations/access/access.ts';
import { type Content, type Declared, GROUPS } from '../../operations/operation.ts';
import { PROBLEM_TYPE } from '../../operations/problem.ts';
import { refusalsOf } from '../../operations/refusals.ts';
import { STATUS_OF } from '../../operations/status-codes.ts';
import { type JsonSchema, SchemaBook } from './schemas.ts';

export type OpenApiDocument = Readonly<Record<string, unknown>>;

const DESCRIPTION =
  'Hand tasks to AI agents, follow them, decide about them. Errors are RFC 9457 problem details with a stable `code` ' +
  '(docs/reference/errors.md). A creation with an id or an idempotency key may be repeated safely after any error.';

const ACCESS_TEXT: Readonly<Record<Access, string>> = {
  public: 'Needs no token.',
  read: 'For operators, observers, and attempts in their own project.',
  create: 'For operators, and attempts in their own project.',
  comment: 'For operators, and the attempt itself.',
  speak: 'For the attempt itself.',
  decide: 'Operators, and the attempt that reviews the task.',
  operate: 'For operators.',
};

const PATH_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  attempt: { type: 'integer', minimum: 1, maximum: 999_999_999 },
  kind: { type: 'string', enum: ['agent', 'type'] },
};
const ID_SCHEMA: JsonSchema = { type: 'string', pattern: ID_PATTERN.source };

export function openApiDocument(operations: readonly Declared[], version: string): OpenApiDocument {
  const book = new SchemaBook();
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of operations) {
    const path = operation.path.replace(/:(\w+)/g, '{$1}');
    const item = paths[path] ?? {};
    paths[path] = item;
    item[operation.method.toLowerCase()] = describe(operation, book);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Signalbox',
      version,
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(GROUPS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: book.components,
      securitySchemes: {
        person: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of "signalbox token new", with the role admin or observer.',
        },
        attempt: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token that an agent finds in SIGNALBOX_TOKEN: it speaks for one attempt.',
        },
      },
    },
  };
}

function describe(operation: Declared, book: SchemaBook): JsonSchema {
  const { name, group, summary, access, body, example, method } = operation;
  const takesBody = method === 'POST';
  return {
    operationId: name,
    tags: [group],
    summary,
    description: ACCESS_TEXT[access],
    security: securityOf(access),
    parameters: parametersOf(operation, book),
    ...(takesBody
      ? {
          requestBody: {
            required: !body.safeParse({}).success,
            content: {
              'application/json': {
                schema: book.request(body),
                ...(example === undefined ? {} : { examples: { typical: { value: example } } }),
              },
            },
          },
        }
      : {}),
    responses: responsesOf(operation, book),
  };
}

/** The empty requirement: while there are no tokens, none is needed (Q2 of access.ts). */
function securityOf(access: Access): readonly JsonSchema[] {
  if (access === 'public') return [];
  if (access === 'speak') return [{ attempt: [] }];
  return access === 'operate' ? [{ person: [] }, {}] : [{ person: [] }, { attempt: [] }, {}];
}

function parametersOf({ path, query, headers = {} }: Declared, book: SchemaBook): readonly JsonSchema[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: PATH_SCHEMAS[name] ?? ID_SCHEMA,
  }));
  const inHeader = Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  }));
  return [...inPath, ...queryParameters(query, book), ...inHeader];
}

function queryParameters(query: z.ZodType, book: SchemaBook): readonly JsonSchema[] {
  if (!(query instanceof z.ZodObject)) return [];
  return Object.entries(query.shape as Record<string, z.ZodType>).map(([name, schema]) => {
    const { description, ...form } = book.request(schema);
    const required = !schema.safeParse(undefined).success;
    return {
      name,
      in: 'query',
      required,
      ...(description === undefined ? {} : { description }),
      schema: form,
    };
  });
}

function responsesOf(operation: Declared, book: SchemaBook): JsonSchema {
  const responses: Record<string, JsonSchema> = {};
  for (const [status, codes] of byStatus(refusalsOf(operation))) {
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code]}`).join(' '),
      ...headersOf(status === '503' || status === '429' ? { 'Retry-After': 'Seconds to wait.' } : {}),
      content: { [PROBLEM_TYPE]: { schema: book.answer(problemSchema) } },
    };
  }
  for (const [status, content] of Object.entries(operation.answers)) {
    const described = contentOf(content, book);
    const refused = responses[status];
    responses[status] = refused ? merged(described, refused) : described;
  }
  return responses;
}

/** A status that is an answer as well as a refusal; their media types differ. */
function merged(answer: JsonSchema, refused: JsonSchema): JsonSchema {
  return {
    ...refused,
    description: `${answer.description} ${refused.description}`,
    content: { ...(answer.content as JsonSchema), ...(refused.content as JsonSchema) },
  };
}

function contentOf({ description, schema, mediaType, headers = {} }: Content, book: SchemaBook): JsonSchema {
  const type = mediaType ?? (schema ? 'application/json' : undefined);
  const form = schema ? book.answer(schema) : { type: 'string' };
  return {
    description,
    ...headersOf(headers),
    ...(type === undefined ? {} : { content: { [type]: { schema: form } } }),
  };
}

function headersOf(headers: Readonly<Record<string, string>>): JsonSchema {
  if (Object.keys(headers).length === 0) return {};
  const described = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  return { headers: Object.fromEntries(described) };
}

function byStatus(codes: readonly ErrorCode[]): Map<string, ErrorCode[]> {
  const statuses = new Map<string, ErrorCode[]>();
  for (const code of codes) {
    const status = String(STATUS_OF[code]);
    statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  return new Map([...statuses].sort(([a], [b]) => Number(a) - Number(b)));
}
