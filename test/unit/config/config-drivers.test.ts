import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { messageOf } from '../../../src/contracts/errors.ts';
import { BUNDLED_DRIVER_NAMES } from '../../../src/drivers/bundled/index.ts';
import { resolveDriver } from '../../../src/drivers/declared/resolve-driver.ts';
import { driverConfigSchema } from '../../../src/drivers/declared/spec.ts';

function saidOf(text: string): string[] {
  try {
    parseConfig(text, 'f');
  } catch (error) {
    return messageOf(error)
      .split('\n')
      .map((line) => line.replace(/^\S+ /, ''));
  }
  return [];
}

const AIDER = `
drivers:
  aider:
    program: aider
    args: ["--message-file", "{prompt_file}", "--yes-always", ["--model", "{model}"]]
    options: { model: null }
    prompt: file
    output: { format: text }
agents:
  pair: { driver: aider, options: { model: m } }
`;

describe('the bundled drivers', () => {
  it.each(BUNDLED_DRIVER_NAMES)('%s is complete, and an agent can have it', (name) => {
    const spec = resolveDriver({}, name);
    expect(spec.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(parseConfig(`agents: { a: { driver: ${name} } }`, 'f').agents.a).toMatchObject({
      driver: 'declared',
      uses: name,
    });
  });
});

describe('a driver of the configuration', () => {
  it('can be declared as data', () => {
    const config = parseConfig(AIDER, 'f');
    expect(config.agents.pair).toMatchObject({ driver: 'declared', uses: 'aider', options: { model: 'm' } });
    expect(resolveDriver(config.drivers, 'aider')).toMatchObject({
      program: 'aider',
      prompt: 'file',
      session: 'none',
    });
  });

  it('overrides a bundled driver key by key', () => {
    const { drivers } = parseConfig('drivers: { claude: { program: /opt/claude } }', 'f');
    expect(resolveDriver(drivers, 'claude')).toEqual({
      ...resolveDriver({}, 'claude'),
      program: '/opt/claude',
    });
  });

  it('can be based on another one', () => {
    const { drivers } = parseConfig(
      'drivers: { a: { base: b, prompt: stdin }, b: { base: codex, program: /b } }',
      'f',
    );
    expect(resolveDriver(drivers, 'a')).toMatchObject({
      name: 'a',
      program: '/b',
      prompt: 'stdin',
      session: 'output',
    });
  });

  it.each([
    ['drivers: { a: { base: b }, b: { base: a } }', /drivers\.a: its bases form a cycle: a, b, a$/],
    ['drivers: { a: { base: absent } }', /drivers\.a: there is no such driver; there are openclaw, /],
    ['drivers: { a: { program: x } }', /drivers\.a: it has no output/],
    ['drivers: { a: { output: { format: text } } }', /drivers\.a: it has no program/],
    [
      'drivers: { a: { program: x, prompt: file, output: { format: text } } }',
      /its arguments have no \{prompt_file\}/,
    ],
    [
      'drivers: { a: { program: x, session: caller, output: { format: text } } }',
      /its args have no \{session_id\}/,
    ],
    [
      'drivers: { a: { base: claude, args: ["-p", "--session-id", "{session_id}"] } }',
      /drivers\.a: its conversation is "claude", but its args have no --input-format/,
    ],
    ['drivers: { command: { base: claude } }', /drivers\.command: this driver is built in/],
    ['drivers: { a: { base: claude, output: { format: json, text: "a..b" } } }', /output\.text/],
    [
      'drivers: { a: { base: claude, output: { format: json, failed: ["a[=1"] } } }',
      /output\.failed\[0\]: the path/,
    ],
    [
      'agents: { a: { driver: claude, options: { modell: x } } }',
      /options\.modell: driver claude has no such option; it has model$/,
    ],
    [
      'agents: { a: { driver: absent } }',
      /agents\.a\.driver: expected command, openclaw, .*, dry_run or remote, got "absent"/,
    ],
  ])('that is invalid is refused: %s', (text, message) => {
    expect(saidOf(text)).toContainEqual(expect.stringMatching(message));
  });
});

describe('docs/reference/drivers.md', () => {
  const text = readFileSync(new URL('../../../docs/reference/drivers.md', import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => block);

  it.each(blocks.filter((block) => /^(?:agents|drivers|projects):/.test(block)))(
    'has configurations that are valid: %s',
    (block) => {
      expect(saidOf(block)).toEqual([]);
    },
  );

  it('names every key of a driver', () => {
    for (const key of Object.keys(driverConfigSchema.shape)) expect(text).toContain(`\`${key}\``);
  });
});
