import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../../src/contracts/errors.ts';
import { STATUS_OF } from '../../../src/operations/errors.ts';

it('docs/reference/errors.md lists exactly the codes of the table, with their statuses and meanings', async () => {
  const text = await readFile(new URL('../../../docs/reference/errors.md', import.meta.url), 'utf8');
  const documented = [...text.matchAll(/^\| `(\w+)` \| (\d+) \| (.+) \|$/gm)].map(
    ([, code, status, meaning]) => ({
      code,
      status: Number(status),
      meaning,
    }),
  );
  const table = (Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => ({
    code,
    status: STATUS_OF[code],
    meaning: ERROR_CODES[code],
  }));
  expect(documented).toEqual(table);
});
