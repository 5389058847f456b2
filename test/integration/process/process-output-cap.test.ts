/** What is kept of the output of a process that prints more than the cap. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fixture, ProcessLab, textOf, until } from './process-harness.ts';

describe('output beyond the cap', () => {
  const lab = new ProcessLab();
  afterAll(() => lab.dispose());

  it('is rotated while the process runs, and the newest part is kept', async () => {
    const spec = lab.spec(fixture('prints-a-lot.sh', '5000', 'hang'), { maxOutputBytes: 20_000 });
    const process = await lab.runner.spawn(spec);
    const stdout = join(spec.directory, 'stdout.log');
    await until('all output is seen', () => process.outputBytes().stdout >= 450_000);
    // While it is moved away there is no such file.
    await until('it is rotated', () => {
      const size = statSync(stdout, { throwIfNoEntry: false })?.size ?? 0;
      return size > 0 && size <= 20_000 && existsSync(`${stdout}.1`);
    });
    expect(statSync(`${stdout}.1`).size).toBeLessThanOrEqual(40_000);
    const kept = textOf(`${stdout}.1`) + textOf(stdout);
    expect(kept.endsWith(`${'5000'.padStart(9, '0')} ${'0'.repeat(89)}\n`)).toBe(true);
    await process.kill({ graceMs: 0 });
  });

  it('is kept below twice the cap, and counted, without a poll', async () => {
    const spec = lab.spec(fixture('prints-a-lot.sh', '3000'), { maxOutputBytes: 10_000 });
    lab.restart({ pollMs: 60_000 });
    const process = await lab.runner.spawn(spec);
    const report = await process.exited;
    expect(report.stdoutBytes).toBe(300_000);
    const stdout = join(spec.directory, 'stdout.log');
    const text = textOf(`${stdout}.1`) + textOf(stdout);
    expect(text.length).toBeGreaterThan(7_000);
    expect(text.length).toBeLessThanOrEqual(20_000);
    expect(text.endsWith(`${'3000'.padStart(9, '0')} ${'0'.repeat(89)}\n`)).toBe(true);
  });
});
