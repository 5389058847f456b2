/** The server does what the OpenAPI document describes. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { functionAgent } from '../../support/engine.ts';
import { Gate, startHttp, TASKS } from '../../support/http/http.ts';
import { Api } from '../../support/http/openapi.ts';

const start = () => startHttp({ agents: [functionAgent('worker', new Gate().handler)] });

describe('the OpenAPI document', () => {
  it('is a valid document of OpenAPI 3.1, without servers and external references', async () => {
    await using http = await start();
    const { document } = await Api.of(http.url);
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref]) => ref);
    const { schemas } = document.components as { schemas: object };
    const known = Object.keys(schemas).map((name) => `#/components/schemas/${name}`);
    expect(refs.filter((ref) => !known.includes(ref ?? ''))).toEqual([]);
  });

  it('names each operation once, with an example for each that has a body', async () => {
    await using http = await start();
    const { operations } = await Api.of(http.url);
    const names = operations.map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    const bare = operations.filter(
      ({ requestBody }) => requestBody && requestBody.content['application/json']?.examples === undefined,
    );
    expect(bare.map(({ operationId }) => operationId)).toEqual([]);
  });

  it('has examples that are accepted unchanged', async () => {
    await using http = await start();
    const api = await Api.of(http.url);
    const { requestBody } = api.operation('createTask');
    const { value } = requestBody?.content['application/json']?.examples?.typical ?? {};
    const created = await http.post(TASKS, value);
    expect(created.status).toBe(201);
  });
});

describe('the page of the API', () => {
  it('shows every operation, loads nothing, and allows only its own style sheet', async () => {
    await using http = await start();
    const { operations } = await Api.of(http.url);
    const page = await fetch(`${http.url}/docs`);
    const text = await page.text();
    for (const { operationId } of operations) expect(text).toContain(`id="${operationId}"`);
    expect(text).not.toMatch(/<script|<link|<img|\ssrc=|url\(|@import/);
    const links = [...text.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href);
    expect(links.filter((href) => !/^#|^\/openapi\.json$/.test(href))).toEqual([]);
    const anchors = new Set([...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => `#${id}`));
    expect(links.filter((href) => href.startsWith('#') && !anchors.has(href))).toEqual([]);
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
  });
});
