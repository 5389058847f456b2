/** A verifier in Python, written from docs/reference/audit.md alone, finds the same as Signalbox. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/base/hash.ts';
import { checkpointText, generateKey } from '../../../src/features/audit/keys.ts';
import { auditOfBundle, bundleOf, type SignedLog, signedLog } from '../../support/history/signed-log.ts';

const run = promisify(execFile);
const SCRIPT = new URL('../../../examples/verify-bundle/verify.py', import.meta.url).pathname;

const hasPython = await run('python3', ['-c', 'import sys; assert sys.version_info >= (3, 8)']).then(
  () => true,
  () => false,
);

describe.skipIf(!hasPython)('examples/verify-bundle/verify.py', () => {
  let made: SignedLog;
  let directory: string;
  let whole: string;

  beforeAll(async () => {
    made = await signedLog();
    directory = await mkdtemp(join(tmpdir(), 'signalbox-verify-'));
    whole = await bundleOf(made.log.messages);
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  /** Its output and exit code. */
  async function verified(bundle: string, ...trusted: string[]): Promise<{ code: number; out: string }> {
    const file = join(directory, 'bundle.ndjson');
    await writeFile(file, bundle);
    try {
      const { stdout } = await run('python3', [SCRIPT, file, ...trusted]);
      return { code: 0, out: stdout };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout + stderr };
    }
  }

  it('has no findings in good bundles: of everything, of a range, of one task; with and without a given key', async () => {
    const [first] = made.keys;
    const requests = [{}, { from: { sequence: 14 }, to: { sequence: 17 } }, { project: 'demo', task: 'thr' }];
    for (const request of requests) {
      const bundle = await bundleOf(made.log.messages, request);
      expect(await verified(bundle, first)).toEqual({ code: 0, out: 'verified, no findings\n' });
    }
    expect((await verified(whole)).code).toBe(0);
  });

  it('reports damage at the same events as "audit verify"', async () => {
    const lines = whole.split('\n');
    const at = lines.findIndex((line) => line.includes('task.claimed'));
    const { sequence } = JSON.parse(lines[at] ?? '') as { sequence: number };
    const checkpoint = lines.findIndex(
      (line) => line.includes('"line":"event"') && line.includes('supervisor.checkpointed'),
    );
    const damaged: readonly (readonly [readonly string[], number])[] = [
      [lines.with(at, (lines[at] ?? '').replace('echo', 'ecio')), sequence],
      [lines.toSpliced(at, 1), sequence],
      [lines.with(at, lines[at + 1] ?? '').with(at + 1, lines[at] ?? ''), sequence],
      [lines.toSpliced(at, 0, lines[at] ?? ''), sequence + 1],
      [lines.with(checkpoint, resigned(lines[checkpoint] ?? '')), sequenceOf(lines[checkpoint])],
    ];
    for (const [changed, where] of damaged) {
      const bundle = sealed(changed);
      const { code, out } = await verified(bundle);
      expect({ code, where, out }).toMatchObject({
        code: 1,
        out: expect.stringContaining(`event ${where}:`),
      });
      expect((await auditOfBundle(bundle)).findings.length).toBeGreaterThan(0);
    }
  });

  it('reports a truncated bundle, and one with an untrusted key', async () => {
    expect((await verified(whole.slice(0, -40))).code).toBe(1);
    expect((await verified(whole.replace('"created":"2026', '"created":"2025'))).out).toContain(
      'cut or changed',
    );
    const foreign = await verified(whole, generateKey().fingerprint);
    expect(foreign).toMatchObject({ code: 1, out: expect.stringContaining('is not trusted') });
  });
});

const sequenceOf = (line = '{}'): number => (JSON.parse(line) as { sequence: number }).sequence;

/** Signs the checkpoint of a line with another key; the hash of the line matches. */
function resigned(line: string): string {
  const { event: text, ...rest } = JSON.parse(line) as { event: string };
  const { event } = (
    JSON.parse(text) as { data: { event: Parameters<typeof checkpointText>[0] & { signature: string } } }
  ).data;
  const changed = text.replace(event.signature, generateKey().sign(checkpointText(event)));
  return JSON.stringify({ ...rest, sha256: sha256(changed), event: changed });
}

/** The lines with a matching hash in the last line. */
function sealed(lines: readonly string[]): string {
  const body = lines
    .slice(0, -2)
    .map((line) => `${line}\n`)
    .join('');
  return `${body}{"line":"end","sha256":"${sha256(body)}"}\n`;
}
