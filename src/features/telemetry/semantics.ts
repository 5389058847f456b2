/** Names of spans and attributes. The GenAI conventions of OpenTelemetry are not stable: only this file names them. */

export const SCOPE = 'signalbox';

/** The name of the span of a task. It must not contain its id or title: names of spans are low in cardinality. */
export const TASK_SPAN = 'signalbox.task';
export const INVOKE_AGENT = 'invoke_agent';

// Conventions of OpenTelemetry: GenAI, general, process and host.
export const OPERATION = 'gen_ai.operation.name';
export const PROVIDER = 'gen_ai.provider.name';
export const AGENT_ID = 'gen_ai.agent.id';
export const AGENT_NAME = 'gen_ai.agent.name';
export const CONVERSATION = 'gen_ai.conversation.id';
export const INPUT_TOKENS = 'gen_ai.usage.input_tokens';
export const OUTPUT_TOKENS = 'gen_ai.usage.output_tokens';
export const ERROR_TYPE = 'error.type';
export const EXIT_CODE = 'process.exit.code';
export const PID = 'process.pid';
export const HOST = 'host.name';
export const SERVICE = 'service.name';
export const SERVICE_VERSION = 'service.version';

// Names of Signalbox.
export const PROJECT = 'signalbox.project';
export const TASK = 'signalbox.task.id';
export const TASK_TYPE = 'signalbox.task.type';
export const TASK_PRIORITY = 'signalbox.task.priority';
export const TASK_STATE = 'signalbox.task.state';
/** 1 after the creation, one more after each redrive. */
export const TASK_RUN = 'signalbox.task.run';
export const TASK_ATTEMPTS = 'signalbox.task.attempts';
export const ATTEMPT = 'signalbox.attempt';
export const OUTCOME = 'signalbox.attempt.outcome';
export const STOP_REASON = 'signalbox.attempt.stop_reason';
/** How long the task was pending before the attempt. */
export const WAIT_MS = 'signalbox.attempt.wait_ms';
export const DRIVER = 'signalbox.driver';
export const COST = 'signalbox.usage.cost_usd';
export const CPU_MS = 'signalbox.process.cpu_ms';
export const PEAK_MEMORY = 'signalbox.process.peak_memory_bytes';
/** Purpose of a link: `depends_on`, `parent`, `reviews` or `earlier_run`. */
export const LINK = 'signalbox.link';

const PROVIDERS = new Map([
  ['claude', 'anthropic'],
  ['codex', 'openai'],
  ['gemini', 'gcp.gemini'],
]);

/** The provider of the models of a driver; the driver itself if it is not known, as the conventions allow. */
export function providerOf(driver: string | undefined): string {
  return driver === undefined ? 'unknown' : (PROVIDERS.get(driver) ?? driver);
}
