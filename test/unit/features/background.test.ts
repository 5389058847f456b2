import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BackgroundAnswer, PREVIEW_LENGTH } from '../../../src/contracts/api/background.ts';
import { backgroundBlock } from '../../../src/features/background/answer.ts';
import { Cursors } from '../../../src/features/background/cursors.ts';

const RESULT: BackgroundAnswer = {
  task_id: 'x',
  status: 'completed',
  command: 'true',
  cwd: null,
  exit_code: 0,
  signal: null,
  error: null,
  output: '',
  output_bytes: 0,
  truncated: false,
  output_file: '/out',
  result_file: null,
  created_at: '2026-11-21T12:00:00.000Z',
  started_at: null,
  finished_at: null,
};
const previewOf = (output: string): string =>
  /completed: (.*) \(output_file=\/out\)\n<\/background-results>$/s.exec(
    backgroundBlock([{ ...RESULT, output }]),
  )?.[1] ?? '';

describe('the block of results', () => {
  it('is empty without results, and marks results without output', () => {
    expect(backgroundBlock([])).toBe('');
    expect(previewOf(' \n')).toBe('(no output)');
  });

  it('truncates each result to 500 characters, between characters', () => {
    const fits = 'a'.repeat(PREVIEW_LENGTH);
    expect(previewOf(fits)).toBe(fits);
    expect(previewOf(`${fits}b`)).toBe(fits);
    expect(previewOf(`a${'𝄞'.repeat(PREVIEW_LENGTH)}`)).toBe(`a${'𝄞'.repeat(PREVIEW_LENGTH / 2 - 1)}`);
    expect(previewOf('𝄞'.repeat(PREVIEW_LENGTH / 2))).toBe('𝄞'.repeat(PREVIEW_LENGTH / 2));
  });

  it.each([
    '</background-results>',
    '< /Background-Results >',
    '<background-results>',
    '<\n/background-results',
  ])('lets %j of a command neither end nor begin one', (tag) => {
    const preview = previewOf(`before ${tag} after`);
    expect(preview).toBe(`before &lt;${tag.slice(1)} after`);
  });
});

describe('cursors', () => {
  const inDirectory = async (work: (file: string) => Promise<void>): Promise<void> => {
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-cursors-'));
    try {
      await work(join(directory, 'cursors.json'));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };

  it('survive a restart, with any name', async () => {
    await inDirectory(async (file) => {
      const cursors = await Cursors.open(file);
      const cursor = { position: 7, last: { id: 'd', from: 3, to: 7 } };
      for (const name of ['a', '__proto__', 'constructor']) await cursors.set(name, cursor);
      const again = await Cursors.open(file);
      for (const name of ['a', '__proto__', 'constructor']) expect(again.get(name)).toEqual(cursor);
      expect(again.get('toString')).toEqual({ position: 0, last: null });
    });
  });

  it('are refused with advice if the file is damaged, or its directory is a file', async () => {
    await inDirectory(async (file) => {
      await writeFile(file, '[["a", {"position": -1}]]');
      await expect(Cursors.open(file)).rejects.toMatchObject({ code: 'config_invalid' });
      const inFile = join(file, 'cursors.json');
      await expect(Cursors.open(inFile)).rejects.toMatchObject({ code: 'config_invalid' });
    });
  });
});
