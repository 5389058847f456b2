/**
 * Claude Code, which is spoken to over its standard input (conversation/claude.ts) and asks before it uses a tool that is
 * not allowed. An error of the API has `subtype: "success"` with `is_error: true`, so only `is_error` counts. Each turn has
 * a result: the tokens are of that turn, the cost counts the whole session. A session is found only from the directory in
 * which it began.
 */
import type { DriverConfig } from '../declared/spec.ts';

const talk = [
  '-p',
  '--input-format',
  'stream-json',
  '--output-format',
  'stream-json',
  '--verbose',
  '--replay-user-messages',
  '--permission-prompt-tool',
  'stdio',
  '--permission-mode',
  'default',
];
const rest = [
  ['--mcp-config', '{mcp_config}'],
  '--allowedTools',
  'mcp__signalbox',
  ['--model', '{model}'],
  '{args}',
];

export const claude: DriverConfig = {
  description: 'Claude Code (claude -p), which asks before it uses a tool',
  version: '2.1.332',
  program: 'claude',
  args: [...talk, '--session-id', '{session_id}', ...rest],
  resume_args: [...talk, '--resume', '{session_id}', ...rest],
  options: { model: null },
  prompt: 'stdin',
  session: 'caller',
  conversation: 'claude',
  transcript: 'claude',
  output: {
    format: 'jsonl',
    result: ['type=result & is_error=false'],
    failed: ['type=result & is_error=true'],
    text: { path: 'result', when: 'type=result' },
    session: 'session_id',
    // An error of the run itself is in `errors`, without a `result`.
    error: [
      { path: 'result', when: 'is_error=true' },
      { path: 'errors[]', when: 'is_error=true', take: 'join' },
    ],
    usage: {
      model: { path: 'model', when: 'type=system & subtype=init', take: 'first' },
      // It does not count what it reads from the cache and writes to it.
      input_tokens: {
        path: 'usage.input_tokens',
        plus: ['usage.cache_read_input_tokens', 'usage.cache_creation_input_tokens'],
        when: 'type=result',
        take: 'sum',
      },
      output_tokens: { path: 'usage.output_tokens', when: 'type=result', take: 'sum' },
      cache_read_tokens: { path: 'usage.cache_read_input_tokens', when: 'type=result', take: 'sum' },
      cache_write_tokens: { path: 'usage.cache_creation_input_tokens', when: 'type=result', take: 'sum' },
      cost_usd: { path: 'total_cost_usd', when: 'type=result', cumulative: true },
    },
  },
  pass_env: [
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'ANTHROPIC_BASE_URL',
    'CLAUDE_CONFIG_DIR',
    'CLAUDE_CODE_OAUTH_TOKEN',
  ],
};
