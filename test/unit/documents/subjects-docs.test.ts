import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../../src/contracts/events/events.ts';
import { asyncApi } from '../../../src/nats/description/asyncapi.ts';
import { channels } from '../../../src/nats/description/channels.ts';
import { subjectsPage } from '../../../src/nats/description/subjects-page.ts';
import { VERSION } from '../../../src/version.ts';
import { ROOT } from '../../support/process/build.ts';

const CURRENT = 'run "npm run docs" and commit what it writes';

interface Node {
  readonly [key: string]: unknown;
}

function references(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(references);
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string' ? [value] : references(value),
  );
}

function resolve(document: unknown, reference: string): unknown {
  return reference
    .replace(/^#\/?/, '')
    .split('/')
    .reduce<unknown>((node, part) => (part === '' ? node : (node as Node)?.[part]), document);
}

describe('the documents of the subjects', () => {
  it('are what the schemas and subjects of this version give', async () => {
    const page = await readFile(join(ROOT, 'docs/reference/subjects.md'), 'utf8');
    expect(page, CURRENT).toBe(subjectsPage());
    const document: unknown = JSON.parse(await readFile(join(ROOT, 'docs/reference/asyncapi.json'), 'utf8'));
    expect(document, CURRENT).toEqual(JSON.parse(JSON.stringify(asyncApi(VERSION))));
  });

  it('have every event and no reference that leads nowhere', () => {
    const document = JSON.parse(JSON.stringify(asyncApi(VERSION)));
    const found = references(document);
    expect(found.length).toBeGreaterThan(EVENT_TYPES.length * 2);
    for (const reference of found) expect(resolve(document, reference), reference).toBeDefined();
    const messages = new Set(channels().flatMap((channel) => channel.messages.map(({ name }) => name)));
    for (const type of EVENT_TYPES) expect(messages).toContain(type.replace('.', '_'));
  });
});
