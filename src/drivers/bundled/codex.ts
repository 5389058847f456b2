/**
 * Codex. Its usage counts the whole session on resume. An event `error`, and an item of type `error`, may be a warning:
 * only `turn.failed` is a failure. It reads standard input, here the prompt, to its end.
 */
import type { DriverConfig } from '../declared/spec.ts';

const variables = ['URL', 'PROJECT', 'TASK_ID', 'ATTEMPT', 'AGENT_ID', 'TOKEN']
  .map((name) => `"SIGNALBOX_${name}"`)
  .join(',');

/** Options of `codex exec` come before `resume`. */
const args = [
  ...['exec', '--json', '--skip-git-repo-check', '-C', '{work_dir}', '-s', '{sandbox}'],
  ['-m', '{model}'],
  // It passes none of its environment on to MCP servers but what is named.
  ['-c', `mcp_servers.signalbox={command={mcp_program},args={mcp_args},env_vars=[${variables}]}`],
  '{args}',
];

export const codex: DriverConfig = {
  description: 'Codex (codex exec)',
  version: '0.169.0',
  program: 'codex',
  args: [...args, '-'],
  resume_args: [...args, 'resume', '{session_id}', '-'],
  options: { model: null, sandbox: 'workspace-write' },
  prompt: 'stdin',
  session: 'output',
  transcript: 'codex',
  output: {
    format: 'jsonl',
    result: ['type=turn.completed'],
    failed: ['type=turn.failed'],
    text: { path: 'item.text', when: 'type=item.completed & item.type=agent_message' },
    session: { path: 'thread_id', when: 'type=thread.started', take: 'first' },
    error: [
      { path: 'error.message', when: 'type=turn.failed' },
      { path: 'message', when: 'type=error' },
    ],
    usage: {
      input_tokens: { path: 'usage.input_tokens', when: 'type=turn.completed', cumulative: true },
      output_tokens: { path: 'usage.output_tokens', when: 'type=turn.completed', cumulative: true },
      cache_read_tokens: { path: 'usage.cached_input_tokens', when: 'type=turn.completed', cumulative: true },
    },
  },
  pass_env: ['OPENAI_API_KEY', 'CODEX_API_KEY', 'CODEX_HOME'],
};
