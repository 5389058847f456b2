/** The audit commands against a running Signalbox, and against its data after a stop. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { type CliResult, startUp, type TestUp } from '../../support/process/cli.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

const SECRET = 'hunter2-correct-horse';
const CONFIG = `
defaults: { review: auto }
agents:
  echo: { driver: command, command: ["sh", "-c", "echo the password is ${SECRET}"], cwd: . }
`;

interface Answer {
  readonly ok: boolean;
  readonly source: string;
  readonly last: number;
  readonly redacted: number;
  readonly omitted: number;
  readonly checkpoints: number;
  readonly covered: number;
  readonly keys: readonly string[];
  readonly findings: readonly { readonly kind: string; readonly sequence: number | null }[];
}

/** What the store of the embedded server holds, as it is on the disk. */
async function storeHolds(directory: string, text: string): Promise<boolean> {
  const store = join(directory, '.signalbox', 'nats', 'store');
  for (const entry of await readdir(store, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    if ((await readFile(join(entry.parentPath, entry.name))).includes(text)) return true;
  }
  return false;
}

describe('signalbox audit', () => {
  let up: TestUp;
  const inside = (name: string): string => join(up.directory, name);

  /** In this process: what is asked is not how a process starts. */
  async function audit(...args: readonly string[]): Promise<CliResult> {
    const terminal = new RecordedTerminal();
    const code = await runProgram(terminal, ['audit', ...args], {});
    return { code, out: terminal.out, err: terminal.err };
  }
  const ofLog = (...args: readonly string[]): Promise<CliResult> =>
    audit(...args, '--data-dir', inside('.signalbox'));
  const ofServer = (...args: readonly string[]): Promise<CliResult> => audit(...args, '--url', up.url);
  const parsed = <T>({ out }: CliResult): T => JSON.parse(out) as T;

  beforeAll(async () => {
    up = await startUp(CONFIG);
    const spec = {
      agent: 'echo',
      title: 'say <script>alert(1)</script>',
      description: '\u001b[31mred\u001b[0m',
    };
    for (const id of ['one', 'two']) {
      await up.client.createTask({ project: 'default', ...spec, id });
      await up.settled(id);
    }
  });

  afterAll(async () => {
    await up[Symbol.asyncDispose]();
  });

  it('verifies the log while it is written, and prints the range', async () => {
    const answer = await up.json<Answer>(['audit', 'verify']);
    expect(answer).toMatchObject({ ok: true, findings: [] });
    const text = await ofLog('verify');
    expect(text).toMatchObject({ code: 0, err: '' });
    expect(text.out).toContain('verified, no findings');
    expect(text.out).toContain(answer.keys[0]);
  });

  it('shows, exports and rotates keys; the private key is in its own file only', async () => {
    const key = await readFile(inside('.signalbox/audit/signing-key.pem'), 'utf8');
    expect((await stat(inside('.signalbox/audit/signing-key.pem'))).mode & 0o777).toBe(0o600);
    const first = await ofServer('keys', 'export');
    expect(first.out).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    await writeFile(inside('first.pem'), first.out);
    const rotated = parsed<{ keys: { key: string; signed_by: string | null }[] }>(
      await ofServer('keys', 'rotate', '--json'),
    );
    expect(rotated.keys).toHaveLength(2);
    expect(rotated.keys[1]?.signed_by).toBe(rotated.keys[0]?.key);
    const now = await readFile(inside('.signalbox/audit/signing-key.pem'), 'utf8');
    expect(now).not.toBe(key);
    const status = (await ofServer('status')).out;
    expect(status).toMatch(/^keys +2$/m);
    expect(status).toMatch(/^checkpoint +(none: only the hash chain|up to event \d+)/m);
    expect(status).toMatch(/^verified +not since Signalbox was started$/m);
    const shown = await ofServer('keys', 'show');
    expect(shown.out).toContain(rotated.keys[1]?.key);

    const second = rotated.keys[1]?.key ?? '';
    expect((await ofLog('verify', '--key', inside('first.pem'))).code).toBe(0);
    const wrong = await ofLog('verify', '--key', second, '--json');
    expect(wrong.code).toBe(1);
    expect((JSON.parse(wrong.out) as Answer).findings.map(({ kind }) => kind)).toEqual(['key']);
    expect((await ofLog('verify', '--key', inside('none.pem'))).code).toBe(2);
  });

  it('exports a task, verifies the bundle without a server, and reports from it and from the log', async () => {
    const file = inside('one.ndjson');
    expect((await ofLog('export', '--task', 'one', '--output', file)).code).toBe(0);
    const verified = await audit('verify', '--bundle', file, '--key', inside('first.pem'), '--json');
    expect(verified.code).toBe(0);
    expect((JSON.parse(verified.out) as Answer).omitted).toBeGreaterThan(0);
    expect((await ofLog('export', '--output', file)).code).toBe(2);

    for (const from of [['--bundle', file], []]) {
      const page = await ofLog('report', 'one', ...from);
      expect(page.code).toBe(0);
      expect(page.out).toContain('say &lt;script&gt;alert(1)&lt;/script&gt;');
      expect(page.out).not.toContain('<script');
      expect(page.out).not.toContain('\u001b');
      expect(page.out).toContain(SECRET);
      expect(page.out).toContain('Verified: events');
    }
    const markdown = await ofLog('report', 'one', '--format', 'md');
    expect(markdown.out).toMatch(/^# say &lt;script/);
    expect((await ofLog('report', 'none')).code).toBe(3);

    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(SECRET, SECRET.toUpperCase()));
    const tampered = await ofLog('report', 'one', '--bundle', file);
    expect(tampered.code).toBe(1);
    expect(tampered.out).toContain('NOT VERIFIED');
  });

  it('redacts: the bytes are erased from the store, and the log verifies as before', async () => {
    for (const id of ['one', 'two']) {
      const args = ['redact', '--task', id, '--reason', 'a password'];
      expect(await ofServer(...args, '--output', '1')).toMatchObject({ code: 0 });
      expect(await ofServer(...args, '--attempt', '1')).toMatchObject({ code: 0 });
    }
    expect(
      (await up.client.readTask({ project: 'default', task: 'one', expand: ['outputs'] })).outputs?.[0]
        ?.content,
    ).toBe('[redacted]');
    expect(await storeHolds(up.directory, SECRET)).toBe(false);
    expect(await storeHolds(up.directory, 'a password')).toBe(true);
    const answer = parsed<Answer>(await ofLog('verify', '--json'));
    // The output and the end of an attempt are one message of the log.
    expect(answer).toMatchObject({ ok: true, redacted: 2 });
    const refused = await ofServer('redact', '--task', 'one', '--reason', 'x', '--output', '9');
    expect(refused.code).toBe(3);
    const both = await ofServer('redact', '--task', 'one', '--reason', 'x', '--output', '1', '--description');
    expect(both.code).toBe(2);
  });

  it('verifies the log of a stopped Signalbox, and detects a missing end', async () => {
    up.process.signal('SIGTERM');
    await up.process.ended;
    const answer = parsed<Answer>(await ofLog('verify', '--json'));
    expect(answer).toMatchObject({ ok: true, redacted: 2 });
    expect(answer.checkpoints).toBeGreaterThan(0);
    // The end of the drain may be under way when the last checkpoint is signed; then come that and the stop.
    expect(answer.last - answer.covered).toBeLessThanOrEqual(4);
    const mark = inside('.signalbox/high-water-mark.json');
    await writeFile(mark, JSON.stringify({ sequence: answer.last + 7, id: 'x-1' }));
    const cut = await ofLog('verify', '--json');
    expect(cut.code).toBe(1);
    expect((JSON.parse(cut.out) as Answer).findings).toMatchObject([
      { kind: 'truncated', sequence: answer.last + 1 },
    ]);
    expect((await audit('verify', '--data-dir', inside('none'))).code).toBe(3);
  });
});
