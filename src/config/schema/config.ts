/**
 * The configuration: every key with its meaning, default and limits. Names are those of the file; times are in seconds,
 * fractions allowed; relative paths are relative to the current directory. Every key has a default or may be left out, so
 * no file at all is a valid configuration. An unknown key is an error, never ignored. The message of a schema says what is
 * expected; the loader adds the position and what was found there.
 */
import { z } from 'zod';
import { backgroundConfigSchema } from '../../contracts/api/background.ts';
import { scheduleConfigSchema } from '../../contracts/api/schedules.ts';
import { budgetConfigSchema } from '../../contracts/api/usage/budgets.ts';
import { webhookConfigSchema } from '../../contracts/api/webhooks.ts';
import {
  backoffSchema,
  pathSchema,
  prioritySchema,
  reviewSchema,
  seconds,
  timeoutSchemas,
  whole,
} from '../../contracts/config-values.ts';
import { pricesSchema } from '../../contracts/prices.ts';
import { CONTAINMENTS } from '../../contracts/processes/containment.ts';
import { templateConfigSchema } from '../../contracts/templates.ts';
import { BUNDLED_DRIVER_NAMES } from '../../drivers/bundled/index.ts';
import { driverConfigSchema } from '../../drivers/declared/spec.ts';
import { agentConfigSchemaFor, agentFileSchemaFor, configuredIdSchema } from './agent-config.ts';
import { checkRelations } from './config-relations.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const hostError = 'expected an IP address or the name of a host';
const natsUrlError =
  'expected HOST:PORT, nats://HOST:PORT or tls://HOST:PORT, or several with commas between';
const contextError = 'expected the name of a context, as "nats context ls" shows it';

/** The settings that the environment and the command line can replace. */
export const settingsSchema = z.object({
  data_dir: pathSchema,
  host: z
    .string(hostError)
    .regex(/^(?:[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/, hostError),
  port: whole(0, 65_535),
  nats_url: z.string(natsUrlError).regex(/^(?:(?:^|,)(?:(?:nats|tls):\/\/)?[^\s,/]+\/?)+$/, natsUrlError),
  nats_context: z.string(contextError).regex(/^(?!.*\.\.)[^\s/\\]{1,255}$/, contextError),
  log_level: z.enum(LOG_LEVELS),
});
const settings = settingsSchema.shape;

const serverSchema = z.strictObject({
  host: settings.host
    .default('127.0.0.1')
    .describe('The address to listen on; other than loopback only with tokens ("signalbox token new").'),
  port: settings.port.default(8083).describe('The port to listen on; 0 takes a free one.'),
  max_body_bytes: whole(1).default(1_048_576).describe('The largest body of a request, in bytes.'),
  public_url: z
    .url({ protocol: /^https?$/, error: 'expected a URL that begins with http:// or https://' })
    .overwrite((url) => url.replace(/\/+$/, ''))
    .optional()
    .describe('Where agents reach Signalbox. Default: http:// with the host and the port.'),
  tokens_file: pathSchema
    .optional()
    .describe('The hashes of tokens, written by "signalbox token new". Default: tokens.json in data_dir.'),
  requests_per_second: whole(1, 1_000_000)
    .default(1_000)
    .describe('Requests per second from one client; further ones get 429.'),
  event_streams: whole(1, 100_000)
    .default(1_000)
    .describe('Clients that follow the events (SSE) at the same time; further ones get 503.'),
});
export type ServerConfig = z.output<typeof serverSchema>;

const natsSchema = z.strictObject({
  url: settings.nats_url.optional().describe('The NATS server to use. Default: Signalbox starts its own.'),
  context: settings.nats_context
    .optional()
    .describe('A context of the nats command line, instead of url, credentials and ca_file.'),
  max_file_bytes: whole(1)
    .optional()
    .describe(
      "How much Signalbox's own NATS server stores at most, in bytes: at least 64 MiB; with remote agents, 587 MiB " +
        'and 512 MiB for each. Default: what the disk allows.',
    ),
  sync: z
    .enum(['interval', 'group', 'always'])
    .default('interval')
    .describe(
      'When its own server forces events to the disk: every second; in groups, before they count; or each one ' +
        'before it is acknowledged (nats-server 2.10 and later). It matters only in a power cut.',
    ),
  replicas: whole(1, 5)
    .default(1)
    .describe('How many servers of a NATS cluster store everything: 1, 3 or 5.'),
  credentials: pathSchema
    .optional()
    .describe('The seed of an nkey, a creds file, or JSON with "user" and "password", for the NATS server.'),
  ca_file: pathSchema.optional().describe('The certificate authority of the NATS server, for tls://.'),
  program: pathSchema
    .optional()
    .describe('The nats-server to start: a path, or a name to look up in the PATH.'),
});

const logSchema = z.strictObject({
  level: settings.log_level.default('info').describe('The lowest level that is logged.'),
});

const limitsSchema = z.strictObject({
  concurrency: whole(1, 10_000).default(64).describe('Attempts of all agents that run at the same time.'),
  per_project_concurrency: whole(1, 10_000)
    .optional()
    .describe('The same for each project. Default: no limit.'),
  queue_depth: whole(1).default(10_000).describe('Pending tasks above which new ones are refused (503).'),
  event_backlog: whole(1)
    .default(8_192)
    .describe('Events waiting for the event log above which new work is refused (503).'),
});

const breakerSchema = z.strictObject({
  failures: whole(1, 1_000).default(5).describe('Failed attempts in a row after which the agent is parked.'),
  cooldown_seconds: seconds()
    .default(30)
    .describe('How long it is parked the first time; twice as long each further time in a row.'),
  max_cooldown_seconds: seconds().default(900).describe('How long it is parked at most.'),
});

const defaultsSchema = z.strictObject({
  priority: prioritySchema
    .default(5)
    .describe('1 to 10, the highest first; or low, normal, high (1, 5, 10).'),
  max_attempts: whole(1, 100).default(4).describe('Attempts of a task, including the first.'),
  backoff: backoffSchema.prefault({}).describe('The wait before a retry.'),
  review: reviewSchema.default('manual'),
  timeout_seconds: timeoutSchemas.timeout_seconds.default(600),
  silence_timeout_seconds: timeoutSchemas.silence_timeout_seconds.optional(),
  kill_grace_seconds: timeoutSchemas.kill_grace_seconds.default(10),
  breaker: breakerSchema.prefault({}).describe('When an agent that keeps failing is parked.'),
});

const containmentSchema = z
  .enum(['auto', ...CONTAINMENTS])
  .default('auto')
  .describe(
    'How processes that agents leave behind are kept in reach. Linux: "cgroup" (a cgroup that Signalbox may write), ' +
      '"pid_namespace" (with perl; agents see no other processes) and "subreaper" (with perl) prove that none is left. ' +
      '"search" looks for them and cannot prove it. Default: the first that this machine allows of cgroup, subreaper and search.',
  );

const shutdownSchema = z.strictObject({
  agents: z
    .enum(['leave', 'kill'])
    .default('leave')
    .describe('Running agents: leave them running, to be adopted at the next start, or kill them.'),
  drain_seconds: seconds().default(30).describe('How long to wait for running attempts before stopping.'),
});

const retentionSchema = z.strictObject({
  finished_seconds: seconds()
    .default(604_800)
    .describe(
      'How long a finished task stays in memory; later it is read from the log when it is requested.',
    ),
  dead_letters_seconds: seconds()
    .default(2_592_000)
    .describe('The same for tasks that failed or expired; for as long they are listed as dead letters.'),
  finished_tasks: whole(0)
    .default(50_000)
    .describe('Finished tasks in memory above which the oldest are removed earlier.'),
  snapshot_events: whole(1_000)
    .default(20_000)
    .describe('Events between two snapshots, which shorten a restart; at least as many as there are tasks.'),
});

const verificationSchema = z.strictObject({
  events_per_second: whole(1)
    .default(1_000)
    .describe('How fast the hash chain of the log is verified in the background.'),
  pause_seconds: seconds()
    .default(300)
    .describe('How long to wait after the whole log was verified, before it is verified again.'),
});

const endpointError = 'expected a URL that begins with http:// or https://, without a user or password in it';

const telemetrySchema = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/, error: endpointError, abort: true })
    .refine((text) => new URL(text).username === '' && new URL(text).password === '', endpointError)
    .optional()
    .describe(
      'The OTLP/HTTP collector for traces, without /v1/traces. Default: OTEL_EXPORTER_OTLP_ENDPOINT.',
    ),
});

const webhooksSchema = z
  .record(configuredIdSchema, webhookConfigSchema)
  .default({})
  .describe('Where events are sent, by id.');

const promptCommandSchema = z
  .array(z.string('expected text'), 'expected a list with the program and its arguments')
  .min(1)
  .describe('Gets the facts as JSON on standard input and prints the prompt.');

const projectSchema = z
  .strictObject({
    prompt_template: pathSchema.optional().describe('A file with the prompt, with {{placeholders}} in it.'),
    prompt_builder: z
      .union([pathSchema, promptCommandSchema], 'expected the path of a module, or a list with a program')
      .optional()
      .describe('A module whose default export builds the prompt, or a program that prints it.'),
    prompt_timeout_seconds: seconds().default(10).describe('How long the prompt builder may take.'),
  })
  .refine((project) => project.prompt_template === undefined || project.prompt_builder === undefined, {
    message: 'give either prompt_template or prompt_builder',
  });
export type ProjectConfig = z.output<typeof projectSchema>;

const sections = {
  data_dir: pathSchema.default('.signalbox').describe('Where Signalbox keeps its data.'),
  server: serverSchema.prefault({}).describe('The HTTP server.'),
  nats: natsSchema.prefault({}).describe('The NATS server that holds the event log.'),
  log: logSchema.prefault({}).describe("Signalbox's own messages."),
  limits: limitsSchema.prefault({}).describe('How much Signalbox does at the same time.'),
  defaults: defaultsSchema.prefault({}).describe('Settings of tasks and agents that do not set them.'),
  retention: retentionSchema.prefault({}).describe('What stays in memory. The log itself keeps everything.'),
  verification: verificationSchema.prefault({}).describe('How the log is verified while Signalbox runs.'),
  containment: containmentSchema,
  shutdown: shutdownSchema.prefault({}).describe('How Signalbox stops.'),
  webhooks: webhooksSchema,
  schedules: z
    .record(configuredIdSchema, scheduleConfigSchema)
    .default({})
    .describe('Tasks that are created at set times, by id.'),
  templates: z
    .record(configuredIdSchema, templateConfigSchema)
    .default({})
    .describe('Tasks that are created again and again, with inputs, by id.'),
  budgets: z
    .record(configuredIdSchema, budgetConfigSchema)
    .default({})
    .describe('What agents may use in a day, a week or a month, by id.'),
  prices: pricesSchema
    .default({})
    .describe('Prices of models, by name, for costs that agents do not report. A name may end with "*".'),
  telemetry: telemetrySchema.prefault({}).describe('OpenTelemetry traces of tasks and attempts.'),
  background: backgroundConfigSchema
    .optional()
    .describe('Allows operators to run any shell command as the user of Signalbox. Default: not allowed.'),
  drivers: z
    .record(configuredIdSchema, driverConfigSchema)
    .default({})
    .describe('Your own drivers, and overrides of bundled ones.'),
  projects: z.record(configuredIdSchema, projectSchema).default({}).describe('Settings of single projects.'),
};

const AGENTS = 'The agents, by id.';

/** A configuration as the library takes it. @param drivers names of the drivers that are data */
export function configSchemaFor(drivers: readonly string[]) {
  return z
    .strictObject({
      ...sections,
      agents: z.record(configuredIdSchema, agentConfigSchemaFor(drivers)).default({}).describe(AGENTS),
    })
    .superRefine(checkRelations);
}
export const configSchema = configSchemaFor(BUNDLED_DRIVER_NAMES);
export type SignalboxConfig = z.output<typeof configSchema>;
export type SignalboxConfigInput = z.input<typeof configSchema>;

/** A configuration as a file can hold it. @param drivers names of the drivers that are data */
export function configFileSchemaFor(drivers: readonly string[]) {
  return z
    .strictObject({
      $schema: z.string().optional().describe('Where an editor finds the JSON Schema of this file.'),
      ...sections,
      agents: z.record(configuredIdSchema, agentFileSchemaFor(drivers)).default({}).describe(AGENTS),
    })
    .superRefine(checkRelations);
}
