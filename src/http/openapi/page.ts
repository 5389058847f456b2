/**
 * The document as a page to read: plain HTML with one style sheet in it, no script and no request to anywhere.
 */
import { createHash } from 'node:crypto';
import { Html, html } from '../../base/text/html.ts';
import { type Operation, Reply } from '../../operations/operation.ts';
import type { JsonSchema } from '../../operations/schemas.ts';
import type { DocumentService } from '../../operations/services.ts';
import { type DescribedOperation, type Media, type OpenApiDocument, openApiDocument } from './document.ts';

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--get:#1a7f37;--post:#0969da;--delete:#cf222e}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h1{margin:0 0 .5rem}h2{margin:2rem 0 .25rem;border-bottom:1px solid var(--line)}
nav a{margin-right:.75rem}code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:var(--soft);padding:.6rem;overflow:auto;max-height:24rem;border-radius:4px}
details.op{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.4rem .7rem}
details.op>summary{cursor:pointer;overflow-wrap:anywhere}
.m{display:inline-block;min-width:4.2em;font:700 12px ui-monospace,monospace}
.get{color:var(--get)}.post{color:var(--post)}.delete{color:var(--delete)}
table{border-collapse:collapse;width:100%}td,th{border-top:1px solid var(--line);padding:.25rem .5rem .25rem 0;text-align:left;vertical-align:top}
.note{opacity:.75}
`;

/** Allows only the page's own style sheet. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

interface Listed {
  readonly method: string;
  readonly path: string;
  readonly operation: DescribedOperation;
}

/** The documents of these operations, made when they are first asked for. */
export function documentService(operations: readonly Operation[], version: string): DocumentService {
  let made: OpenApiDocument | undefined;
  const openApi = (): OpenApiDocument => {
    made ??= openApiDocument(operations, version);
    return made;
  };
  return {
    openApi,
    page: () => new Reply(200, { headers: PAGE_HEADERS, body: Buffer.from(openApiPage(openApi())) }),
  };
}

function openApiPage({ info, tags, paths, components }: OpenApiDocument): string {
  const listed: Listed[] = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
  );
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${info.title} API</title><style>${styleSheet}</style></head><body>
<h1>${info.title} API <small class="note">${info.version}</small></h1>
<p>${info.description}</p>
<p><a href="/openapi.json">openapi.json</a> is the same for programs (OpenAPI 3.1).</p>
<nav>${tags.map(({ name }) => html`<a href="#${name}">${name}</a> `)}<a href="#schemas">Schemas</a></nav>
${tags.map(({ name, description }) => groupOf(name, description, listed))}
<h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas).map(
  ([name, schema]) =>
    html`<details class="op" id="schema-${name}"><summary>${name}</summary>${code(schema)}</details>`,
)}
</body></html>`.text;
}

/** Its characters must be those of the hash: nothing in it is escaped. */
const styleSheet = new Html(STYLE);

function groupOf(name: string, description: string, listed: readonly Listed[]): Html {
  const own = listed.filter(({ operation }) => operation.tags.includes(name));
  return html`<section><h2 id="${name}">${name}</h2><p class="note">${description}</p>${own.map(operationOf)}</section>`;
}

function operationOf({ method, path, operation }: Listed): Html {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  return html`<details class="op" id="${operationId}"><summary><span class="m ${method}">${method.toUpperCase()}</span>
<code>${path}</code> · ${summary}</summary><p class="note">${description}</p>
${parameters.length === 0 ? '' : parametersTable(parameters)}
${Object.entries(requestBody?.content ?? {}).map(
  ([type, media]) => html`<h4>Body <span class="note">${type}</span></h4>${mediaOf(media)}`,
)}
<h4>Answers</h4><table>${Object.entries(responses).map(
    ([status, { description: text, content = {} }]) => html`<tr><td><code>${status}</code></td><td>${text}
${Object.entries(content).map(([type, { schema }]) => html`<br><span class="note">${type}</span> ${reference(schema)}`)}</td></tr>`,
  )}</table></details>`;
}

function parametersTable(parameters: DescribedOperation['parameters']): Html {
  return html`<h4>Parameters</h4><table>${parameters.map(
    ({
      name,
      in: place,
      required,
      description = '',
      schema,
    }) => html`<tr><td><code>${name}</code>${required ? ' *' : ''}<br>
<span class="note">${place}</span></td><td>${description} <code>${JSON.stringify(schema)}</code></td></tr>`,
  )}</table>`;
}

function mediaOf({ schema, examples = {} }: Media): Html {
  const shown = Object.values(examples).map(({ value }) => code(value));
  return html`<p>${reference(schema)}</p>${shown}`;
}

/** A link to a named schema; a schema without a name is shown. */
function reference(schema: JsonSchema): Html {
  const { $ref } = schema;
  if (typeof $ref !== 'string') return html`<code>${JSON.stringify(schema)}</code>`;
  const name = $ref.slice($ref.lastIndexOf('/') + 1);
  return html`<a href="#schema-${name}">${name}</a>`;
}

function code(value: unknown): Html {
  return html`<pre>${JSON.stringify(value, null, 2)}</pre>`;
}
