/** The OpenAPI document of a running server; checks answers against it, with no field left over. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';

export interface ApiOperation {
  readonly method: string;
  /** As in `/api/projects/{project}/tasks`. */
  readonly path: string;
  readonly operationId: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header';
    readonly required?: boolean;
    readonly schema: Record<string, unknown>;
  }[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { schema: object; examples?: Record<string, { value: unknown }> }>
    >;
  };
  readonly responses: Readonly<Record<string, { content?: Readonly<Record<string, { schema: object }>> }>>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export class Api {
  readonly document: Record<string, unknown>;
  readonly operations: readonly ApiOperation[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  private constructor(document: Record<string, unknown>) {
    this.document = document;
    const paths = document.paths as Record<string, Record<string, Omit<ApiOperation, 'method' | 'path'>>>;
    this.operations = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        ...operation,
        path,
        method: method.toUpperCase(),
      })),
    );
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ $id: 'api:', components: document.components });
  }

  static async of(url: string): Promise<Api> {
    return new Api((await (await fetch(`${url}/openapi.json`)).json()) as Record<string, unknown>);
  }

  operation(id: string): ApiOperation {
    const found = this.operations.find(({ operationId }) => operationId === id);
    if (!found) throw new Error(`there is no operation ${id}`);
    return found;
  }

  /** Fails unless the document allows the answer's status, media type and body. */
  check(operation: ApiOperation, answer: ApiAnswer): void {
    const { operationId, responses } = operation;
    const what = `${operationId} answered ${answer.status}: ${answer.text.slice(0, 400)}`;
    const response = responses[String(answer.status)];
    expect(response, what).toBeDefined();
    expect(answer.status, what).not.toBe(500);
    if (answer.status >= 400 && answer.contentType !== 'application/json; charset=utf-8') {
      expect(answer.contentType, what).toBe('application/problem+json');
    }
    const { content } = response ?? {};
    if (!content) return expect(answer.text, what).toBe('');
    const type = answer.contentType.replace('application/json; charset=utf-8', 'application/json');
    const media = content[type];
    expect(Object.keys(content), what).toContain(type);
    if (!media || !type.endsWith('json')) return;
    const rooted = JSON.parse(JSON.stringify(media.schema).replaceAll('"#/', '"api:#/')) as object;
    const isValid = this.#ajv.validate(rooted, JSON.parse(answer.text));
    expect(isValid ? [] : this.#ajv.errors, what).toEqual([]);
  }
}
