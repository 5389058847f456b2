/** What the API is: for programs, and as a page to read. */
import { z } from 'zod';
import { type Declared, json, nothing, nowhere, type Serve } from '../../operations/operation.ts';
import { type OpenApiDocument, openApiDocument } from '../openapi/document.ts';
import { openApiPage, PAGE_HEADERS } from '../openapi/page.ts';

/** @param operations all that are served, these two among them; complete when the first request comes */
export function serveDocuments(serve: Serve, operations: readonly Declared[], version: string): void {
  let made: OpenApiDocument | undefined;
  const document = (): OpenApiDocument => {
    made ??= openApiDocument(operations, version);
    return made;
  };
  serve({
    name: 'readOpenApi',
    group: 'System',
    summary: 'This API as an OpenAPI 3.1 document',
    access: 'public',
    method: 'GET',
    path: '/openapi.json',
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: { 200: json(z.looseObject({ openapi: z.string() }), 'The document.') },
    handle: async () => ({ status: 200, body: document() }),
  });
  serve({
    name: 'readDocs',
    group: 'System',
    summary: 'This API as a page',
    access: 'public',
    method: 'GET',
    path: '/docs',
    address: nowhere,
    query: nothing,
    body: nothing,
    answers: { 200: { description: 'The page.', mediaType: 'text/html; charset=utf-8' } },
    handle: async () => ({
      status: 200,
      headers: PAGE_HEADERS,
      body: Buffer.from(openApiPage(document())),
    }),
  });
}
