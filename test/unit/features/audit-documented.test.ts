import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { FINDING_KINDS } from '../../../src/features/audit/log-items.ts';

it('docs/reference/audit.md lists exactly the kinds of findings, with their meanings', async () => {
  const text = await readFile(new URL('../../../docs/reference/audit.md', import.meta.url), 'utf8');
  const documented = [...text.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, kind, meaning]) => [
    kind,
    meaning,
  ]);
  expect(documented).toEqual(Object.entries(FINDING_KINDS));
});
