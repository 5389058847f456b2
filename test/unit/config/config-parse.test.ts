/** Reading a configuration. Long because every kind of error has its example. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigIssue } from '../../../src/config/issues.ts';
import { defaultConfig, parseConfig } from '../../../src/config/parse-config.ts';
import { SignalboxError } from '../../../src/contracts/errors.ts';

const FILE = 'signalbox.config.yaml';

function errorOf(text: string): SignalboxError {
  try {
    parseConfig(text, FILE);
  } catch (error) {
    if (error instanceof SignalboxError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

function linesOf(text: string): string[] {
  return errorOf(text).message.split('\n');
}

describe('parseConfig', () => {
  it('refuses a template whose texts name an input that it does not have, or whose agent is not there', () => {
    const template = (task: string, inputs = '{ file: {} }'): string[] =>
      linesOf(
        `agents: { a: { driver: command, command: [x] } }\ntemplates:\n  t:\n    inputs: ${inputs}\n    task: ${task}\n`,
      );
    expect(template("{ title: 'Review {{file}} by {{who}}', agent: a }").join()).toContain(
      'templates.t.task: has {{who}}, which is no input: add it below "inputs"',
    );
    expect(template("{ title: 'x', agent: ghost }").join()).toContain(
      'templates.t.task.agent: no agent has this id',
    );
    expect(template("{ title: 'x {{title}}', agent: a }", '{ title: {} }').join()).toContain(
      'used in follow-ups',
    );
    const follow =
      "{ title: 'x', agent: a, follow_ups: [{ title: '{{title}} {{outputs}} {{file}}', agent: a }] }";
    expect(() => template(follow)).toThrow('the configuration was accepted');
  });

  it('reads the example of the documentation and fills in the defaults', () => {
    const config = parseConfig(
      `
defaults: { max_attempts: 4, review: manual }
agents:
  yunce:
    driver: command
    command: ["node", "examples/agents/code-review.mjs", "{prompt_file}"]
    capabilities: [code_review]
    concurrency: 2
    timeout_seconds: 600
`,
      FILE,
    );
    expect(config).toEqual({
      ...defaultConfig(),
      agents: {
        yunce: {
          driver: 'command',
          command: ['node', 'examples/agents/code-review.mjs', '{prompt_file}'],
          prompt: 'file',
          capabilities: ['code_review'],
          concurrency: 2,
          timeout_seconds: 600,
          env: {},
          pass_env: ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER', 'SHELL'],
          max_output_bytes: 10_485_760,
          output: 'stdout',
          prompt_language: 'en',
          dry_run: false,
          permissions: { default: 'ask', rules: [] },
          question_keepalive_seconds: 300,
        },
      },
    });
  });

  it('has a default for every key that needs a value', () => {
    expect(defaultConfig()).toEqual({
      data_dir: '.signalbox',
      server: {
        host: '127.0.0.1',
        port: 8083,
        max_body_bytes: 1_048_576,
        requests_per_second: 1_000,
        event_streams: 1_000,
      },
      nats: { sync: 'interval', replicas: 1 },
      log: { level: 'info' },
      limits: { concurrency: 64, queue_depth: 10_000, event_backlog: 8_192 },
      defaults: {
        priority: 5,
        max_attempts: 4,
        backoff: { initial_seconds: 2, factor: 2, max_seconds: 300, jitter: 0.2 },
        review: 'manual',
        timeout_seconds: 600,
        kill_grace_seconds: 10,
        breaker: { failures: 5, cooldown_seconds: 30, max_cooldown_seconds: 900 },
      },
      retention: {
        finished_seconds: 604_800,
        dead_letters_seconds: 2_592_000,
        finished_tasks: 50_000,
        snapshot_events: 20_000,
      },
      containment: 'auto',
      shutdown: { agents: 'leave', drain_seconds: 30 },
      verification: { events_per_second: 1_000, pause_seconds: 300 },
      webhooks: {},
      schedules: {},
      budgets: {},
      prices: {},
      telemetry: {},
      templates: {},
      drivers: {},
      projects: {},
      agents: {},
    });
  });

  it.each(['', '# only a comment\n', '---\n', '{}', '{ "$schema": "./signalbox.config.schema.json" }'])(
    'uses the defaults for %j',
    (text) => {
      expect(parseConfig(text, FILE)).toEqual(defaultConfig());
    },
  );

  it('reads JSON, indented with tabs too, and a file with a byte order mark', () => {
    expect(parseConfig('{\n\t"server": {\n\t\t"port": 1\n\t}\n}', FILE).server.port).toBe(1);
    expect(parseConfig('\uFEFFserver: { port: 2 }', FILE).server.port).toBe(2);
  });

  it('reads anchors and aliases', () => {
    const config = parseConfig('agents:\n  a: &a { driver: dry_run, concurrency: 3 }\n  b: *a\n', FILE);
    expect(config.agents).toMatchObject({ a: { concurrency: 3 }, b: { concurrency: 3 } });
  });

  it.each([
    ['low', 1],
    ['normal', 5],
    ['high', 10],
    ['7', 7],
  ])('reads priority %s as %i', (word, priority) => {
    expect(parseConfig(`defaults: { priority: ${word} }`, FILE).defaults.priority).toBe(priority);
  });

  it('removes the slash at the end of public_url', () => {
    const { server } = parseConfig('server: { public_url: "https://box.example/signalbox/" }', FILE);
    expect(server.public_url).toBe('https://box.example/signalbox');
  });
});

describe('errors in a configuration', () => {
  it('are reported together, by line, with column and field', () => {
    const text = `
server:
  port: 80830
agents:
  yunce:
    driver: command
    command: [node, a.mjs]
    concurrency: two
    review: no body
  late: { driver: dry_run, capabilities: ["code review"], timeout_seconds: 0 }
shutdwon: {}
limits: { concurrency: 1.5 }
`;
    expect(linesOf(text)).toEqual([
      'signalbox.config.yaml:3:3 server.port: expected a whole number from 0 to 65535, got 80830',
      'signalbox.config.yaml:8:5 agents.yunce.concurrency: expected a whole number from 1 to 10000, got "two"',
      'signalbox.config.yaml:9:5 agents.yunce.review: expected manual, auto, or the id of an agent, got "no body"',
      'signalbox.config.yaml:10:43 agents.late.capabilities[0]: expected 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-", got "code review"',
      'signalbox.config.yaml:10:59 agents.late.timeout_seconds: expected a number of seconds above 0, at most 31536000, or a time such as "90s", "5m" or "2h", got 0',
      'signalbox.config.yaml:11:1 shutdwon: unknown key; did you mean "shutdown"?',
      'signalbox.config.yaml:12:11 limits.concurrency: expected a whole number from 1 to 10000, got 1.5',
    ]);
  });

  it('are available to programs as details', () => {
    const { code, details } = errorOf('log: { level: inof }\n');
    const issue: ConfigIssue = {
      file: FILE,
      line: 1,
      column: 8,
      field: 'log.level',
      message: 'expected trace, debug, info, warn, error, fatal or silent, got "inof"; did you mean "info"?',
    };
    expect({ code, details }).toEqual({ code: 'config_invalid', details: { issues: [issue] } });
  });

  it.each([
    [
      'agents:\n  a: { driver: dry_run, concurency: 2 }',
      '2:25 agents.a.concurency: unknown key; did you mean "concurrency"?',
    ],
    ['defaults: { timeout: 3 }', '1:13 defaults.timeout: unknown key; did you mean "timeout_seconds"?'],
    ['server: { maxBodyBytes: 3 }', '1:11 server.maxBodyBytes: unknown key; did you mean "max_body_bytes"?'],
    [
      'nats: { cluster: 3 }',
      '1:9 nats.cluster: unknown key; known here: url, context, max_file_bytes, sync, replicas, credentials, ca_file, program',
    ],
    [
      '"no such": 3',
      '1:1 ["no such"]: unknown key; known here: $schema, data_dir, server, nats, log, limits, defaults, retention, verification, containment, shutdown, webhooks, schedules, templates, budgets, prices, telemetry, background, drivers, projects, agents',
    ],
  ])('suggest the key that was meant, or list the known ones: %j', (text, line) => {
    expect(linesOf(text)).toEqual([`${FILE}:${line}`]);
  });

  it.each([
    [
      'a: [1,\nb: 2',
      ':2:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['server:\n  port: 1\n port: 2\n', ':3:1: All mapping items must start at the same column'],
    [
      'server: { port: 1 }\nserver: { port: 2 }\n',
      ':2:1 server: the key exists already, on line 1: keep one of them',
    ],
    [
      '{ "log": {},\n  "server": { "port": 1,\n    "port": 2 } }',
      ':3:5 server.port: the key exists already, on line 2: keep one of them',
    ],
    ['log: {}\n---\nlog: {}\n', ':2:1: a second document: remove the "---" and what follows'],
    ['server: !local {}', ':1:9: Unresolved tag: !local'],
    ['? [a, b]\n: 1\n', ':1:3: a key must be a plain word'],
    ['log: *none', ':1:6 log: nothing above has the anchor &none'],
    [
      'agents:\n  __proto__: { driver: dry_run }',
      ':2:3 agents.__proto__: this name cannot be a key: choose another',
    ],
    ['[]', ':1:1: expected a map of keys, got an empty list'],
    ['just words', ':1:1: expected a map of keys, got "just words"'],
    ['limits:\n', ':1:1 limits: expected a map of keys, got nothing'],
  ])('have a position if the YAML is not valid: %j', (text, line) => {
    expect(linesOf(text)).toEqual([`${FILE}${line}`]);
  });

  it('are shown at the alias if they came through one', () => {
    const text = 'agents:\n  a: &a { driver: dry_run, concurrency: 0 }\n  b: *a\n';
    expect(linesOf(text).map((line) => line.split(' ', 2).join(' '))).toEqual([
      `${FILE}:2:28 agents.a.concurrency:`,
      `${FILE}:3:3 agents.b.concurrency:`,
    ]);
  });

  it.each(['"a b"', '"http://h"', '"-a"', '"[::1]"', '""'])('include host %s, which is not valid', (host) => {
    expect(errorOf(`server: { host: ${host} }`).message).toMatch(/server\.host: expected an IP address/);
  });

  it('never contain a value that may be a secret', () => {
    const text = `
nats: { url: "http://user:hunter2@nats.example" }
agents:
  a: { driver: dry_run, env: { PIN: 1234567, KEY: [hunter2], TOKEN: {hunter2} } }
`;
    expect(linesOf(text)).toEqual([
      `${FILE}:2:9 nats.url: expected HOST:PORT, nats://HOST:PORT or tls://HOST:PORT, or several with commas between, got a text that is not shown here`,
      `${FILE}:4:32 agents.a.env.PIN: expected text, got a number: put quotes around it`,
      `${FILE}:4:46 agents.a.env.KEY: expected text, got a list`,
      `${FILE}:4:62 agents.a.env.TOKEN: expected text, got a map`,
    ]);
  });

  it('are always config_invalid with a position, for any text', () => {
    const word = fc.constantFrom(
      'agents',
      'defaults',
      'driver',
      'command',
      'dry_run',
      'review',
      'a',
      '1',
      'null',
      '&a',
      '*a',
      '!t',
      '__proto__',
      ': ',
      ':\n',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      ', ',
      '"',
      "'",
      '#',
      '---',
      '? ',
      '|',
      '<<',
      '\t',
      '\0',
      '\uD800',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        try {
          parseConfig(words.join(''), FILE);
        } catch (error) {
          expect(error).toMatchObject({ name: 'SignalboxError', code: 'config_invalid' });
          for (const line of error instanceof Error ? error.message.split('\n') : []) {
            expect(line).toMatch(/^signalbox\.config\.yaml:\d+:\d+( \S.*)?: /);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
