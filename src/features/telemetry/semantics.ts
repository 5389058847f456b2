/**
 * What spans, attributes and events are called. The GenAI conventions of OpenTelemetry are in development, and have moved to
 * a repository of their own: their names stand here and nowhere else.
 */

export const SCOPE = 'signalbox';

/** The span of a task. Its title is somebody's text, and its id names one task only: neither is in the name. */
export const TASK_SPAN = 'signalbox.task';

export const INVOKE_AGENT = 'invoke_agent';

/** GenAI, general, process and host conventions. */
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

/** Signalbox's own. */
export const PROJECT = 'signalbox.project';
export const TASK = 'signalbox.task.id';
export const TASK_TYPE = 'signalbox.task.type';
export const TASK_PRIORITY = 'signalbox.task.priority';
export const TASK_STATE = 'signalbox.task.state';
/** 1 from its creation on, one more with each redrive. */
export const TASK_RUN = 'signalbox.task.run';
export const TASK_ATTEMPTS = 'signalbox.task.attempts';
export const ATTEMPT = 'signalbox.attempt';
export const OUTCOME = 'signalbox.attempt.outcome';
export const STOP_REASON = 'signalbox.attempt.stop_reason';
/** From when the task could run until an agent took it. */
export const WAIT_MS = 'signalbox.attempt.wait_ms';
export const DRIVER = 'signalbox.driver';
export const COST = 'signalbox.usage.cost_usd';
export const CPU_MS = 'signalbox.process.cpu_ms';
export const PEAK_MEMORY = 'signalbox.process.peak_memory_bytes';
/** What a link is for: `depends_on`, `parent`, `reviews` or `earlier_run`. */
export const LINK = 'signalbox.link';

const PROVIDERS: Readonly<Record<string, string>> = {
  claude: 'anthropic',
  codex: 'openai',
  gemini: 'gcp.gemini',
};

/** Whose models an agent uses, as far as its driver tells; else the driver itself, as the conventions allow. */
export function providerOf(driver: string | undefined): string {
  if (driver === undefined) return 'unknown';
  return Object.hasOwn(PROVIDERS, driver) ? (PROVIDERS[driver] ?? driver) : driver;
}
