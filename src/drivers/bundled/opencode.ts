/** OpenCode. Each step reports its usage, and the last one that it has stopped. */
import type { DriverConfig } from '../declared/spec.ts';

export const opencode: DriverConfig = {
  description: 'OpenCode (opencode run)',
  version: '1.18.33',
  program: 'opencode',
  args: ['run', '--format', 'json', ['-m', '{model}'], '{args}'],
  resume_args: ['run', '--format', 'json', ['-m', '{model}'], '--session', '{session_id}', '{args}'],
  options: { model: null },
  prompt: 'stdin',
  session: 'output',
  transcript: 'opencode',
  output: {
    format: 'jsonl',
    result: ['type=step_finish & part.reason=stop'],
    failed: ['type=error'],
    text: { path: 'part.text', when: 'type=text', take: 'join' },
    session: { path: 'sessionID', take: 'first' },
    error: [
      { path: 'error.data.message', when: 'type=error' },
      { path: 'error.name', when: 'type=error' },
    ],
    usage: {
      // It does not count the cache, and counts the reasoning on its own.
      input_tokens: {
        path: 'part.tokens.input',
        plus: ['part.tokens.cache.read', 'part.tokens.cache.write'],
        when: 'type=step_finish',
        take: 'sum',
      },
      output_tokens: {
        path: 'part.tokens.output',
        plus: ['part.tokens.reasoning'],
        when: 'type=step_finish',
        take: 'sum',
      },
      cache_read_tokens: { path: 'part.tokens.cache.read', when: 'type=step_finish', take: 'sum' },
      cache_write_tokens: { path: 'part.tokens.cache.write', when: 'type=step_finish', take: 'sum' },
      cost_usd: { path: 'part.cost', when: 'type=step_finish', take: 'sum' },
    },
  },
  // It is merged with the user's own configuration.
  env: {
    OPENCODE_CONFIG_CONTENT: '{"mcp":{"signalbox":{"type":"local","command":{mcp_command},"enabled":true}}}',
  },
  pass_env: [
    'ANTHROPIC_API_KEY',
    'OPENAI_API_KEY',
    'OPENROUTER_API_KEY',
    'GEMINI_API_KEY',
    'OPENCODE_CONFIG',
    'XDG_DATA_HOME',
  ],
};
