import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import { attemptAnswerSchema } from '../../../src/contracts/api/answers.ts';
import { type TranscriptPage, transcriptPageSchema } from '../../../src/contracts/transcript/schemas.ts';
import { declaredProgram } from '../../../src/drivers/declared/declared-program.ts';
import { resolveDriver } from '../../../src/drivers/declared/resolve-driver.ts';
import { ProgramDriver } from '../../../src/drivers/program-driver.ts';
import { createProcessRunner } from '../../../src/process/host-runner.ts';
import type { ProcessRunner } from '../../../src/process/runner.ts';
import { functionAgent, silentLogger } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, type TestHttp } from '../../support/http/http.ts';
import { SseConnection } from '../../support/http/sse.ts';
import { until } from '../../support/until.ts';

const TRANSCRIPT = `${TASKS}/a/attempts/1/transcript`;
const REF = { project: 'demo', task: 'a', attempt: 1 };
const item = (id: number, text: string): string =>
  JSON.stringify({ type: 'item.completed', item: { id: `item_${id}`, type: 'agent_message', text } });
const DONE = JSON.stringify({ type: 'turn.completed', usage: { input_tokens: 5, output_tokens: 2 } });

describe('the transcript of an attempt over HTTP', () => {
  let runner: ProcessRunner;
  beforeAll(() => {
    runner = createProcessRunner({ log: silentLogger, pollMs: 50 });
  });
  afterAll(() => runner.close());

  /** An agent that is a shell script and prints as codex does. */
  const start = (script: string, maxOutputBytes = 10_000_000) => {
    const program = declaredProgram({
      spec: resolveDriver(
        { teller: { base: 'codex', program: 'sh', args: ['-c', script], resume_args: ['-c', script] } },
        'teller',
      ),
      args: [],
      options: {},
      env: { PATH: process.env.PATH ?? '' },
      maxOutputBytes,
      output: 'stdout',
      resume: true,
      url: () => null,
      installation: `transcript-${process.pid}`,
    });
    const driver = new ProgramDriver({ runner, url: () => null, installation: 'transcript' }, program);
    return startHttp({ agents: [functionAgent('worker', new Gate().handler, { driver, killGraceMs: 100 })] });
  };

  const run = async (http: TestHttp): Promise<void> => {
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'worker', max_attempts: 1, outputs: 'optional' });
    await http.test.until('a', ({ attempts, state }) => attempts > 0 && state !== 'claimed');
  };

  const directoryOf = (http: TestHttp): string =>
    join(http.test.app.settings.directories.attempts, 'demo', 'a', '1');

  const page = async (http: TestHttp, query = ''): Promise<TranscriptPage> =>
    transcriptPageSchema.parse((await http.get(`${TRANSCRIPT}${query}`)).body);

  const textsOf = (pages: readonly TranscriptPage[]): string[] =>
    pages.flatMap(({ entries }) => entries.flatMap((entry) => (entry.kind === 'message' ? entry.text : [])));

  it('is read while it runs, followed to its end, and proved by the end of the attempt', async () => {
    const script = `echo '${item(1, 'one')}'; printf '${item(2, 'two').slice(0, 20)}'; until [ -e go ]; do sleep 0.02; done; echo '${item(2, 'two').slice(20)}'; echo '${DONE}'`;
    await using http = await start(script);
    await run(http);
    await until(async () => (await page(http)).entries.length > 0, 'the first message');
    const first = await page(http);
    expect(first).toMatchObject({
      format: 'codex',
      entries: [{ kind: 'message', role: 'agent', text: 'one' }],
      start: 0,
      has_earlier: false,
      complete: false,
    });
    // The line that has no end yet is not there.
    expect((await page(http, `?after=${first.next}`)).entries).toEqual([]);
    const live = await SseConnection.follow(
      `${http.url}${TRANSCRIPT}/live?after=${first.next}`,
      (_type, data) => transcriptPageSchema.parse(data),
    );
    await live.until(() => live.events.length > 0);
    writeFileSync(join(directoryOf(http), 'work', 'go'), '');
    await live.ended;
    const parts = live.events.map(({ data }) => data);
    expect(textsOf(parts)).toEqual(['two']);
    expect(parts.at(-1)).toMatchObject({ complete: true });
    expect(live.lastEventId).toBe(parts.at(-1)?.next);
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);

    const whole = await page(http);
    expect(whole.entries.map(({ kind }) => kind)).toEqual(['message', 'message', 'usage', 'turn']);
    expect(whole.complete).toBe(true);
    const output = readFileSync(join(directoryOf(http), 'process', 'stdout.log'));
    const attempt = attemptAnswerSchema.parse((await http.get(`${TASKS}/a/attempts/1`)).body);
    expect(attempt.transcript_format).toBe('codex');
    expect(attempt.transcript).toEqual({
      format: 'codex',
      sha256: createHash('sha256').update(output).digest('hex'),
      bytes: output.length,
      dropped_bytes: 0,
      lines: 3,
    });
    // The log says in which format it is, whatever becomes of the files.
    await rm(join(directoryOf(http), 'transcript-format'));
    expect((await page(http)).format).toBe('codex');
    const client = new SignalboxClient({ url: http.url });
    expect(await client.readTranscript({ ...REF, after: whole.next })).toMatchObject({
      entries: [],
      complete: true,
    });
  });

  it('is read from its end backwards, in parts of any size', async () => {
    const lines = Array.from({ length: 25 }, (_, index) => item(index, `m${index}`)).join('\n');
    await using http = await start(`cat <<'X'\n${lines}\n${DONE}\nX`);
    await run(http);
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    const pages: TranscriptPage[] = [];
    for (let before: number | 'end' = 'end'; before !== 0; ) {
      const part = await page(http, `?before=${before}&limit=7`);
      pages.unshift(part);
      before = part.start;
    }
    expect(pages.map(({ entries }) => entries.length)).toEqual([5, 7, 7, 8]);
    expect(pages.map(({ has_earlier, complete }) => [has_earlier, complete])).toEqual([
      [false, false],
      [true, false],
      [true, false],
      [true, true],
    ]);
    expect(textsOf(pages)).toEqual(Array.from({ length: 25 }, (_, index) => `m${index}`));
  });

  it('says what is not kept of a long output', async () => {
    const script = `i=0; while [ $i -lt 3000 ]; do echo '${item(1, 'x'.repeat(60))}'; i=$((i + 1)); done; echo '${DONE}'`;
    await using http = await start(script, 100_000);
    await run(http);
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    const { transcript } = attemptAnswerSchema.parse((await http.get(`${TASKS}/a/attempts/1`)).body);
    const pages: TranscriptPage[] = [];
    for (let after = 0; pages.at(-1)?.complete !== true; after = pages.at(-1)?.next ?? 0) {
      pages.push(await page(http, `?after=${after}&limit=2000`));
    }
    const entries = pages.flatMap((each) => each.entries);
    expect(entries.filter(({ kind }) => kind === 'raw')).toEqual([]);
    expect(entries.filter(({ kind }) => kind === 'gap')).toEqual([
      { kind: 'gap', id: expect.any(String), bytes: transcript?.dropped_bytes },
    ]);
    expect(entries.at(-1)).toMatchObject({ kind: 'turn', ok: true });
    expect(transcript?.dropped_bytes).toBeGreaterThan(50_000);
  });

  it('has nothing of another place, whatever replaced the output, and refuses what is no attempt', async () => {
    await using http = await start(`echo '${DONE}'`);
    await run(http);
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    const elsewhere = join(http.test.app.settings.directories.data, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'stdout.log'), 'secret\n');
    const place = join(directoryOf(http), 'process');
    await rm(place, { recursive: true });
    await symlink(elsewhere, place);
    expect(await page(http)).toMatchObject({ entries: [], complete: true });
    problemIn(await http.get(`${TASKS}/a/attempts/2/transcript`), 404, 'not_found');
    problemIn(await http.get(`${TASKS}/b/attempts/1/transcript/live`), 404, 'task_not_found');
    problemIn(await http.get(`${TRANSCRIPT}?after=1&before=2`), 400, 'invalid_request');
    problemIn(await http.get(`${TRANSCRIPT}?limit=2001`), 400, 'invalid_request');
  });
});
