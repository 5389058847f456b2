/** What Signalbox adds to the environment of an agent. */
import type { RunOrder } from './driver.ts';

export interface EnvironmentFacts {
  /** Where agents reach Signalbox; null as long as it does not listen. */
  readonly url: string | null;
  readonly promptFile: string;
}

/** Own variables, over those of the configuration: an attempt has no trace but its own. */
export function attemptEnvironment(
  order: RunOrder,
  { url, promptFile }: EnvironmentFacts,
  configured: Readonly<Record<string, string>>,
): Record<string, string> {
  const { TRACESTATE: _state, BAGGAGE: _baggage, ...rest } = configured;
  return {
    ...rest,
    SIGNALBOX_URL: url ?? '',
    SIGNALBOX_PROJECT: order.project,
    SIGNALBOX_TASK_ID: order.task,
    SIGNALBOX_ATTEMPT: String(order.attempt),
    SIGNALBOX_AGENT_ID: order.agent,
    SIGNALBOX_TOKEN: order.token,
    SIGNALBOX_PROMPT_FILE: promptFile,
    TRACEPARENT: order.traceparent,
    ...(order.tracestate === undefined ? {} : { TRACESTATE: order.tracestate }),
  };
}
