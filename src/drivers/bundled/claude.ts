import type { DriverConfig } from '../declared/spec.ts';

/**
 * Claude Code. An error of the API has `subtype: "success"` with `is_error: true`, so only `is_error` is asked. The cost
 * counts the whole session on resume, the tokens do not. A session is found only from the directory it began in.
 */
export const claude: DriverConfig = {
  description: 'Claude Code (claude -p)',
  version: '2.1.329',
  program: 'claude',
  args: ['-p', '--output-format', 'json', '--session-id', '{session_id}', ['--model', '{model}'], '{args}'],
  resume_args: [
    '-p',
    '--output-format',
    'json',
    '--resume',
    '{session_id}',
    ['--model', '{model}'],
    '{args}',
  ],
  options: { model: null },
  prompt: 'stdin',
  session: 'caller',
  output: {
    format: 'json',
    result: ['type=result & is_error=false'],
    failed: ['type=result & is_error=true'],
    text: { path: 'result', when: 'type=result' },
    session: 'session_id',
    error: { path: 'result', when: 'is_error=true' },
    usage: {
      input_tokens: 'usage.input_tokens',
      output_tokens: 'usage.output_tokens',
      cost_usd: { path: 'total_cost_usd', cumulative: true },
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
