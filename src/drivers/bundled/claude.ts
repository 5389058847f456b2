/**
 * Claude Code. An error of the API has `subtype: "success"` with `is_error: true`, so only `is_error` counts. On resume the
 * cost counts the whole session, the tokens do not. A session is found only from the directory in which it began.
 */
import type { DriverConfig } from '../declared/spec.ts';

const print = ['-p', '--output-format', 'json'];
const rest = [['--model', '{model}'], '{args}'];

export const claude: DriverConfig = {
  description: 'Claude Code (claude -p)',
  version: '2.1.329',
  program: 'claude',
  args: [...print, '--session-id', '{session_id}', ...rest],
  resume_args: [...print, '--resume', '{session_id}', ...rest],
  options: { model: null },
  prompt: 'stdin',
  session: 'caller',
  output: {
    format: 'json',
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
