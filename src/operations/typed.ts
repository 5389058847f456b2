/** The types of each operation's input and answer by its name, for clients; and one flat input taken apart. */
import type { z } from 'zod';
import { pathText } from '../base/exact-json.ts';
import type { IncomingTrace } from '../base/trace-context.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { OPERATIONS } from './index.ts';
import { type BodyOf, type Operation, paramNames, takesBody } from './operation.ts';

type Each = (typeof OPERATIONS)[number];
export type OperationName = Each['name'];
export type OperationOf<Name extends OperationName> = Extract<Each, { readonly name: Name }>;
type InputSchemas<Name extends OperationName> = OperationOf<Name>['input'];

/** No fields, for the schema of an empty object. */
type Fields<Object> = string extends keyof Object ? unknown : Object;

/** A query is text: numbers are written out, and lists with commas. */
type QueryField<In, Out> = unknown extends In ? Out : string extends In ? In | readonly string[] : In;
type QueryFields<Query extends z.ZodType> = Fields<{
  readonly [Key in keyof z.output<Query> & keyof z.input<Query>]?: QueryField<
    z.input<Query>[Key],
    z.output<Query>[Key]
  >;
}>;

/** Path parameters, query and body of an operation in one flat object, as over NATS. */
export type InputOf<Name extends OperationName> = Fields<z.input<InputSchemas<Name>['params']>> &
  QueryFields<InputSchemas<Name>['query']> &
  Fields<z.input<InputSchemas<Name>['body']>>;

type Json<Body> = Exclude<Body, Uint8Array>;

/** What an operation answers with; text, if it is not JSON. */
export type AnswerOf<Name extends OperationName> = [Json<BodyOf<OperationOf<Name>['answers']>>] extends [
  never,
]
  ? string
  : Json<BodyOf<OperationOf<Name>['answers']>>;

export interface CallOptions {
  /** Makes a creation safe to repeat, so the client repeats it after an error. */
  readonly idempotencyKey?: string | undefined;
  /** The trace that the call belongs to; that of the client by default. */
  readonly trace?: IncomingTrace;
}

/** The method of an operation; its input may be left out if no field of it is required. */
export type Method<Name extends OperationName> =
  Record<string, never> extends InputOf<Name>
    ? (input?: InputOf<Name>, options?: CallOptions) => Promise<AnswerOf<Name>>
    : (input: InputOf<Name>, options?: CallOptions) => Promise<AnswerOf<Name>>;

const BY_NAME = new Map<string, Operation>(OPERATIONS.map((each) => [each.name, each]));

export function operationNamed(name: string): Operation {
  const operation = BY_NAME.get(name);
  if (operation) return operation;
  throw new SignalboxError('internal', `there is no operation ${name}`);
}

interface Parts {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * What the path names; the rest is the body of a request that has one, else its query.
 * @throws SignalboxError `invalid_request` for a value that no path and no query can have
 */
export function inputParts(operation: Operation, input: object): Parts {
  const names = paramNames(operation.http.path);
  const isParam = ([name]: [string, unknown]): boolean => names.includes(name);
  const fields = Object.entries(input);
  const params = Object.fromEntries(
    fields.filter(isParam).map(([name, value]) => [name, textOf(name, value)]),
  );
  const rest = fields.filter((field) => !isParam(field));
  if (takesBody(operation)) return { params, query: {}, body: Object.fromEntries(rest) };
  return { params, query: Object.fromEntries(rest.flatMap(queryField)), body: {} };
}

/** Lists are written with commas; what is absent or empty is left out. */
function queryField([name, value]: [string, unknown]): [string, string][] {
  const text = Array.isArray(value) ? value.map((each) => textOf(name, each)).join(',') : textOf(name, value);
  return text === '' ? [] : [[name, text]];
}

/** @throws SignalboxError `invalid_request` */
function textOf(name: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
      return String(value);
    default:
      if (value === undefined || value === null) return '';
      throw new SignalboxError('invalid_request', `${pathText([name])}: expected text or a number`);
  }
}
