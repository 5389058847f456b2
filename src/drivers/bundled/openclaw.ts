/**
 * OpenClaw through its Gateway. With `--local`, and in an embedded fallback of older versions, the inner object is the
 * whole document: hence two places for everything. A run with an error and a `runId` was accepted by the Gateway and may
 * continue there after the command has ended: then the Gateway is asked. The agent's tools run inside the Gateway and do
 * not see this environment.
 */
import type { DriverConfig } from '../declared/spec.ts';

export const openclaw: DriverConfig = {
  description: 'OpenClaw agent (openclaw agent)',
  version: '2026.9.6',
  program: 'openclaw',
  args: [
    'agent',
    '--agent',
    '{agent_id}',
    '--session-id',
    '{session_id}',
    '--message-file',
    '{prompt_file}',
    '--timeout',
    '{timeout_seconds}',
    ['--model', '{model}'],
    ['--thinking', '{thinking}'],
    '{args}',
    '--json',
  ],
  options: { agent_id: 'main', model: null, thinking: null },
  prompt: 'file',
  session: 'caller',
  output: {
    format: 'json',
    result: ['status=ok & result.payloads', '!status & !ok & payloads & meta'],
    failed: ['ok=false', 'status=timeout|error|in_flight', 'result.meta.aborted=true', 'meta.aborted=true'],
    text: [
      { path: 'result.payloads[isError!=true].text', take: 'join' },
      { path: 'payloads[isError!=true].text', take: 'join' },
    ],
    session: ['result.meta.agentMeta.sessionId', 'meta.agentMeta.sessionId'],
    error: [
      'error.message',
      'result.meta.error.message',
      'result.payloads[isError=true].text',
      'meta.error.message',
      'summary',
    ],
    usage: {
      model: ['result.meta.agentMeta.model', 'meta.agentMeta.model'],
      // It does not count what it reads from the cache and writes to it.
      input_tokens: [
        {
          path: 'result.meta.agentMeta.usage.input',
          plus: ['result.meta.agentMeta.usage.cacheRead', 'result.meta.agentMeta.usage.cacheWrite'],
        },
        {
          path: 'meta.agentMeta.usage.input',
          plus: ['meta.agentMeta.usage.cacheRead', 'meta.agentMeta.usage.cacheWrite'],
        },
      ],
      output_tokens: ['result.meta.agentMeta.usage.output', 'meta.agentMeta.usage.output'],
      cache_read_tokens: ['result.meta.agentMeta.usage.cacheRead', 'meta.agentMeta.usage.cacheRead'],
      cache_write_tokens: ['result.meta.agentMeta.usage.cacheWrite', 'meta.agentMeta.usage.cacheWrite'],
      cost_usd: ['result.meta.agentMeta.costUsd', 'meta.agentMeta.costUsd'],
    },
  },
  settle: {
    when: ['ok=false & runId', 'status=in_flight & runId'],
    run_id: 'runId',
    wait: ['gateway', 'call', 'agent.wait', '--params', '{"runId":"{run_id}","timeoutMs":20000}', '--json'],
    abort: [
      'gateway',
      'call',
      'chat.abort',
      '--params',
      '{"sessionKey":"agent:{agent_id}:explicit:{session_id}","runId":"{run_id}"}',
      '--json',
    ],
    running: ['status=pending', 'status=timeout & !endedAt'],
    output: {
      format: 'json',
      result: ['status=ok'],
      failed: ['status=error', 'status=timeout & endedAt'],
      text: 'terminalReply.text',
      error: ['error.message', 'error', 'stopReason', 'status'],
    },
  },
  exit_codes: {
    '78': 'its configuration is not valid',
    '130': 'it was interrupted',
    '143': 'it was ended by SIGTERM',
  },
  pass_env: [
    'OPENCLAW_GATEWAY_TOKEN',
    'OPENCLAW_GATEWAY_PASSWORD',
    'OPENCLAW_STATE_DIR',
    'OPENCLAW_CONFIG_PATH',
  ],
  // With OPENCLAW_SHELL=exec, as inside one of its own agents, the command refuses to start.
  unset_env: ['OPENCLAW_SHELL'],
  passes_env: false,
};
