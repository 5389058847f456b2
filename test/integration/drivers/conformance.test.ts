import { describe, expect, it } from 'vitest';
import { ACP_CHECKS } from '../../../src/cli/driver/conformance/acp-checks.ts';
import { CHECKS, goodOutput } from '../../../src/cli/driver/conformance/checks.ts';
import type { Subject } from '../../../src/cli/driver/conformance/harness.ts';
import { type CheckResult, runChecks } from '../../../src/cli/driver/conformance/run-checks.ts';
import { failureOutput, SAMPLE } from '../../../src/cli/driver/conformance/sample.ts';
import { BUNDLED_DRIVER_NAMES } from '../../../src/drivers/bundled/index.ts';
import { readOutput } from '../../../src/drivers/declared/reading.ts';
import { resolveDriver } from '../../../src/drivers/declared/resolve-driver.ts';
import { runCli } from '../../support/process/cli.ts';

async function all(subject: Subject, recording: Buffer | null = null): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for await (const result of runChecks(subject, recording)) results.push(result);
  return results;
}

/** What the check with this name finds. */
async function found(name: RegExp, subject: Subject, good: string): Promise<string> {
  const check = CHECKS.find((each) => name.test(each.name));
  if (!check) throw new Error(`no check ${name}`);
  return check.run(subject, good).then(
    (detail) => `holds: ${detail}`,
    (error: Error) => error.message,
  );
}

async function* once(text: string): AsyncIterable<Buffer> {
  yield Buffer.from(text);
}

describe('an output that is made from a driver', () => {
  const byPlaces = BUNDLED_DRIVER_NAMES.filter((name) => resolveDriver({}, name).conversation !== 'acp');
  it.each(byPlaces)('is read by %s as intended', async (name) => {
    const { output } = resolveDriver({}, name);
    const good = await readOutput(once(goodOutput(resolveDriver({}, name))), { output });
    expect(good).toMatchObject({
      status: 'ok',
      text: SAMPLE.text,
      usage: { input_tokens: { value: SAMPLE.tokens } },
    });
    const bad = await readOutput(once(failureOutput(output, 'no quota', 's') ?? ''), { output });
    expect(bad).toMatchObject({ status: 'failed', error: 'no quota' });
  });
});

const ONLY_ACP = ACP_CHECKS.map(({ name }) => name);

describe('the conformance kit', () => {
  it.each([
    ['codex', ONLY_ACP],
    ['claude', ['standard input is closed', ...ONLY_ACP]],
    ['opencode-acp', ['standard input is closed']],
  ])('passes all checks that apply to %s', { timeout: 240_000 }, async (name, others) => {
    const results = await all(resolveDriver({}, name));
    expect(results.filter(({ holds }) => holds === false)).toEqual([]);
    expect(results.filter(({ holds }) => holds === null).map((each) => each.name)).toEqual(others);
  });

  it('skips checks that do not apply if only the exit code counts', async () => {
    for (const name of [/^a truncated output/, /^garbage/, /^a result is noticed/]) {
      const check = CHECKS.find((each) => name.test(each.name));
      expect(await check?.run('command', goodOutput('command'))).toBeNull();
    }
    expect(await found(/^a result and exit code 0/, 'command', goodOutput('command'))).toBe(
      'holds: no usage',
    );
  });

  it('reports the checks that fail', async () => {
    const mine = (changes: object) => resolveDriver({ mine: { base: 'claude', ...changes } }, 'mine');
    const claude = mine({});
    const good = goodOutput(claude);
    expect(await found(/^a result and exit code 0/, claude, '{"type":"another"}\n')).toMatch(
      /^it is failed: /,
    );
    const sloppy = mine({ ok_exit_codes: [0, 113] });
    expect(await found(/^a result with another exit code/, sloppy, good)).toBe('it is completed');
    const forgetful = mine({ resume_args: ['-p', '--input-format', 'stream-json'] });
    expect(await found(/^a retry continues/, forgetful, good)).toBe(
      'the arguments do not contain the session',
    );
    const blind = mine({ output: { ...claude.output, result: ['type!=error'] } });
    expect(await found(/^a result and exit code 0/, blind, 'nothing\n')).toMatch(/has no readable result/);
  });
});

describe('signalbox driver', () => {
  it('lists and shows drivers, and reports an unknown one', async () => {
    const { out } = await runCli(['driver', 'ls', '--json']);
    expect(JSON.parse(out)).toContainEqual(
      expect.objectContaining({ name: 'codex', program: 'codex', output: 'jsonl' }),
    );
    const shown = await runCli(['driver', 'show', 'codex', '--json']);
    expect(JSON.parse(shown.out)).toMatchObject({ name: 'codex', session: 'output' });
    const yaml = (await runCli(['driver', 'show', 'claude'])).out;
    expect(yaml).toMatch(
      /^drivers:\n {2}claude:\n {4}description: .*\n {4}version: .*\n {4}program: claude\n {4}args:\n/,
    );
    expect(yaml).not.toMatch(/[&*]a1|exit_codes: \{\}/);
    expect(await runCli(['driver', 'show', 'absent'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('there is no driver absent: use one of openclaw, claude'),
    });
  });
});
