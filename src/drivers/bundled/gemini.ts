/**
 * Gemini CLI. An error of the API becomes an exit code modulo 256 (400 is 144). It prints a stream of
 * events, because with one document an error would go to standard error, after other lines.
 */
import type { DriverConfig } from '../declared/spec.ts';

const stream = ['-o', 'stream-json', '--skip-trust'];
const rest = [['-m', '{model}'], ['--approval-mode', '{approval_mode}'], '{args}'];

export const gemini: DriverConfig = {
  description: 'Gemini CLI (gemini -p)',
  version: '0.61.0',
  program: 'gemini',
  args: [...stream, '--session-id', '{session_id}', ...rest],
  resume_args: [...stream, '--resume', '{session_id}', ...rest],
  options: { model: null, approval_mode: null },
  prompt: 'stdin',
  session: 'caller',
  transcript: 'gemini',
  output: {
    format: 'jsonl',
    result: ['type=result & status=success'],
    failed: ['type=result & status=error'],
    text: { path: 'content', when: 'type=message & role=assistant', take: 'join' },
    session: { path: 'session_id', when: 'type=init', take: 'first' },
    error: [
      { path: 'error.message', when: 'type=result' },
      { path: 'message', when: 'type=error' },
    ],
    // As in "Loop detected", after which it reports a success.
    warning: { path: 'message', when: 'type=error & severity=warning', take: 'join' },
    usage: {
      model: { path: 'model', when: 'type=init', take: 'first' },
      input_tokens: { path: 'stats.input_tokens', when: 'type=result' },
      // Its own number leaves the reasoning out, which the total counts.
      output_tokens: [
        { path: 'stats.total_tokens', minus: ['stats.input_tokens'], when: 'type=result' },
        { path: 'stats.output_tokens', when: 'type=result' },
      ],
      cache_read_tokens: { path: 'stats.cached', when: 'type=result' },
    },
  },
  exit_codes: {
    '42': 'it got no prompt, or an argument that it does not know',
    '53': 'its limit of turns is reached',
  },
  pass_env: [
    'GEMINI_API_KEY',
    'GOOGLE_API_KEY',
    'GOOGLE_CLOUD_PROJECT',
    'GOOGLE_GENAI_USE_VERTEXAI',
    'GEMINI_CLI_HOME',
  ],
};
