/**
 * The OpenAPI 3.1 document, derived from the operations. It lists every status that an operation may answer with, and
 * no other.
 */
import { z } from 'zod';
import { problemSchema } from '../../contracts/api/system-answers.ts';
import { ERROR_CODES, type ErrorCode } from '../../contracts/errors.ts';
import type { Access } from '../../operations/access/access.ts';
import { errorsOf, PROBLEM_TYPE, STATUS_OF } from '../../operations/errors.ts';
import { type Content, GROUPS, NO_INPUT, type Operation, takesBody } from '../../operations/operation.ts';
import { type JsonSchema, SchemaBook } from '../../operations/schemas.ts';

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: Readonly<Record<'title' | 'version' | 'description', string>> & JsonSchema;
  readonly servers: readonly JsonSchema[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** By path and method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: JsonSchema;
  };
}

export interface DescribedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security: readonly JsonSchema[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, Media>>;
  };
  readonly responses: Readonly<Record<string, Response>>;
}

export interface Media {
  readonly schema: JsonSchema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Response {
  readonly description: string;
  readonly headers?: JsonSchema;
  readonly content?: Readonly<Record<string, Media>>;
}

const DESCRIPTION =
  'Hand tasks to AI agents, follow them, decide about them. Errors are RFC 9457 problem details with a stable `code` ' +
  '(docs/reference/errors.md). A creation with an id or an idempotency key may be repeated safely after any error.';

const ACCESS_TEXT: Readonly<Record<Access, string>> = {
  public: 'Needs no token.',
  read: 'For operators, observers, and attempts in their own project.',
  create: 'For operators, and attempts in their own project.',
  comment: 'For operators, and the attempt itself.',
  speak: 'For the attempt itself.',
  decide: 'Operators, and the attempt that reviews the task, or that may answer its question.',
  operate: 'For operators.',
};

export function openApiDocument(operations: readonly Operation[], version: string): OpenApiDocument {
  const book = new SchemaBook();
  const paths: Record<string, Record<string, DescribedOperation>> = {};
  for (const operation of operations) {
    const { method, path } = operation.http;
    const item = paths[path] ?? {};
    paths[path] = item;
    item[method.toLowerCase()] = describe(operation, book);
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

function describe(operation: Operation, book: SchemaBook): DescribedOperation {
  const { name, group, summary, access, input, example } = operation;
  const hasBody = takesBody(operation) && input.body !== NO_INPUT.body;
  return {
    operationId: name,
    tags: [group],
    summary,
    description: ACCESS_TEXT[access],
    security: securityOf(access),
    parameters: parametersOf(operation, book),
    ...(hasBody
      ? {
          requestBody: {
            required: !input.body.safeParse({}).success,
            content: {
              'application/json': {
                schema: book.request(input.body),
                ...(example === undefined ? {} : { examples: { typical: { value: example } } }),
              },
            },
          },
        }
      : {}),
    responses: responsesOf(operation, book),
  };
}

/** The empty requirement: no token is needed while there are none (access/open-on-loopback-only). */
function securityOf(access: Access): readonly JsonSchema[] {
  if (access === 'public') return [];
  if (access === 'speak') return [{ attempt: [] }];
  return access === 'operate' ? [{ person: [] }, {}] : [{ person: [] }, { attempt: [] }, {}];
}

function parametersOf(
  { input, headers = {} }: Operation,
  book: SchemaBook,
): DescribedOperation['parameters'] {
  const inHeader = Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  }));
  return [...fieldsOf('path', input.params, book), ...fieldsOf('query', input.query, book), ...inHeader];
}

/** The fields of an object, each as a parameter. */
function fieldsOf(
  place: 'path' | 'query',
  object: z.ZodType,
  book: SchemaBook,
): DescribedOperation['parameters'] {
  if (!(object instanceof z.ZodObject)) return [];
  return Object.entries<z.ZodType>(object.shape).map(([name, schema]) => {
    const { description, ...form } = book.request(schema);
    const required = place === 'path' || !schema.safeParse(undefined).success;
    return {
      name,
      in: place,
      required,
      ...(typeof description === 'string' && { description }),
      schema: form,
    };
  });
}

function responsesOf(operation: Operation, book: SchemaBook): DescribedOperation['responses'] {
  const responses: Record<string, Response> = {};
  for (const [status, codes] of byStatus(errorsOf(operation))) {
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code]}`).join(' '),
      ...headersOf(status === '503' || status === '429' ? { 'Retry-After': 'Seconds to wait.' } : {}),
      content: { [PROBLEM_TYPE]: { schema: book.answer(problemSchema) } },
    };
  }
  for (const [status, content] of Object.entries(operation.answers)) {
    const described = contentOf(content, book);
    const failed = responses[status];
    responses[status] = failed ? merged(described, failed) : described;
  }
  return responses;
}

/** A status that is an answer as well as an error; their media types differ. */
function merged(answer: Response, failed: Response): Response {
  return {
    ...failed,
    description: `${answer.description} ${failed.description}`,
    content: { ...answer.content, ...failed.content },
  };
}

function contentOf({ description, schema, mediaType, headers = {} }: Content, book: SchemaBook): Response {
  const type = mediaType ?? (schema ? 'application/json' : undefined);
  const form = schema ? book.answer(schema) : { type: 'string' };
  return {
    description,
    ...headersOf(headers),
    ...(type === undefined ? {} : { content: { [type]: { schema: form } } }),
  };
}

function headersOf(headers: Readonly<Record<string, string>>): Pick<Response, 'headers'> {
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
