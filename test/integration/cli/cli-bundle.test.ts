/** The commands that read the log, on bundles of "audit export". */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { fileSource } from '../../../src/engine/replay/file-source.ts';
import type { BundleRequest } from '../../../src/features/audit/export-bundle.ts';
import type { StoredMessage } from '../../../src/journal/journal.ts';
import { goldenHistory } from '../../support/histories/golden.ts';
import { bundleOf } from '../../support/history/signed-log.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

/** It has redactions and checkpoints. */
const LOG = goldenHistory('0.1.0', 'proofs').file;

async function run(command: string, ...args: string[]) {
  const terminal = new RecordedTerminal();
  const code = await runProgram(terminal, [...command.split(' '), ...args], {});
  return { code, out: terminal.out, err: terminal.err };
}

let directory: string;
let messages: StoredMessage[];
let whole: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-bundle-'));
  messages = [];
  for await (const message of fileSource(LOG).read()) messages.push(message);
  whole = await bundle('whole');
});
afterAll(() => rm(directory, { recursive: true }));

/** The file with a bundle of the log, made from what a server has of it. */
async function bundle(name: string, request: BundleRequest = {}): Promise<string> {
  const stored = messages.filter(({ originalHash }) => originalHash === undefined);
  const file = join(directory, `${name}.ndjson`);
  await writeFile(file, await bundleOf(stored, request));
  return file;
}

describe('a bundle of everything', () => {
  it.each([
    'replay --json',
    'replay --to 20 --json',
    'replay --task secret --project demo --events --json',
    'replay --diff 10 30',
    'events show 3',
    'events tail --from 1 --type task --json',
    'rebuild --json',
  ])('is read by "signalbox %s" as the log itself is', async (command) => {
    const read = await run(command, '--bundle', whole);
    expect(read).toMatchObject({ code: 0, err: '' });
    expect(read).toEqual(await run(command, '--file', LOG));
  });

  it('replays with the current machines as it was recorded', async () => {
    const { code, out } = await run('replay check', '--bundle', whole, '--json');
    expect(JSON.parse(out)).toEqual({ ok: true, events: messages.length, divergence: null });
    expect(code).toBe(0);
  });

  it('is rejected if it was edited or truncated, or is not a bundle', async () => {
    const text = await readFile(whole, 'utf8');
    const edited = join(directory, 'edited.ndjson');
    await writeFile(edited, text.replaceAll('simulated', 'stimulated'));
    expect(await run('replay', '--bundle', edited)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/hash chain breaks at event \d+: .*\[log_corrupt\]/),
    });
    const cut = join(directory, 'cut.ndjson');
    await writeFile(cut, text.slice(0, text.lastIndexOf('\n', text.length - 2)));
    expect((await run('replay', '--bundle', cut)).err).toMatch(
      /cannot use the bundle .*cut\.ndjson: its end is missing/,
    );
    expect((await run('replay', '--bundle', LOG)).err).toMatch(/no(t a)? bundle.*\[invalid_request\]/);
    expect((await run('replay', '--bundle', join(directory, 'none'))).err).toMatch(/\[content_unreadable\]/);
    expect((await run('replay', '--bundle', whole, '--file', LOG)).code).toBe(2);
  });
});

describe('a bundle of one task', () => {
  it('shows its events, and reports that it lacks the others', async () => {
    const file = await bundle('task', { project: 'demo', task: 'secret' });
    const own = messages.filter(({ subject }) => subject.includes('.demo.task.secret.'));
    const [first, last] = [own.at(0)?.sequence ?? 0, own.at(-1)?.sequence ?? 0];
    const scope = ['--project', 'demo', '--task', 'secret', '--bundle', file];
    const tailed = await run('events tail', '--from', String(first), '--json', ...scope);
    const sequences = tailed.out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { sequence: number }).sequence);
    expect(sequences).toEqual(own.map(({ sequence }) => sequence));
    expect(await run('events show', String(last), '--bundle', file)).toEqual(
      await run('events show', String(last), '--file', LOG),
    );
    const left = messages.find(
      ({ subject, sequence }) => sequence > first && subject.includes('.demo.task.mishap.'),
    );
    const expected = `does not include event ${left?.sequence}: it has events ${first} to ${last} of task secret of project demo, and only hashes of the rest.`;
    const refused = await run('events show', String(left?.sequence), '--bundle', file);
    expect(refused).toMatchObject({ code: 3, out: '', err: expect.stringContaining(expected) });
    for (const command of ['replay', 'replay check', 'rebuild', 'events tail --from 1']) {
      const { code, out, err } = await run(command, '--bundle', file);
      expect({ code, out }).toEqual({ code: 3, out: '' });
      expect(err).toContain('A state can be computed only from a bundle of the whole log');
    }
  });

  it('does not skip events that may belong to the selection', async () => {
    const file = await bundle('part', { from: { sequence: 5 }, to: { sequence: 12 } });
    const tail = (...args: string[]) => run('events tail', '--json', '--bundle', file, ...args);
    expect((await tail('--from', '4')).code).toBe(3);
    expect((await tail('--from', '1', '--project', 'demo')).code).toBe(3);
    const other = await bundle('other', { project: 'demo', task: 'mishap' });
    expect((await run('events tail', '--from', '1', '--project', 'demo', '--bundle', other)).code).toBe(3);
  });
});
