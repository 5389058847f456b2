/** Where traces go, from the configuration and the variables that OpenTelemetry has for it. Loads nothing else of it. */
import type { SignalboxConfig } from '../../config/schema/config.ts';
import { SignalboxError } from '../../contracts/errors.ts';

export interface TelemetrySettings {
  readonly url: string;
  /** May hold a key: not for logs. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly resource: Readonly<Record<string, string>>;
}

type Env = Readonly<Record<string, string | undefined>>;

const SERVICE_NAME = 'signalbox';
const TRACES_PATH = '/v1/traces';

/**
 * null where traces are off, as they are unless somebody says where to send them. Variables win over the configuration,
 * and those for traces over those for every signal.
 * @throws SignalboxError `config_invalid` for a variable with which no span could be sent
 */
export function telemetrySettings(
  { endpoint }: SignalboxConfig['telemetry'],
  env: Env,
): TelemetrySettings | null {
  const url = urlOf(env, endpoint);
  const isOff = env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none';
  if (url === null || isOff) return null;
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL;
  if (protocol === 'grpc') {
    throw new SignalboxError(
      'config_invalid',
      'OTEL_EXPORTER_OTLP_PROTOCOL: Signalbox sends traces over HTTP, not over grpc. Set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json for it, and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to the HTTP port of the collector (4318 as a rule)',
    );
  }
  const { 'service.name': named, ...resource } = listIn(env, 'OTEL_RESOURCE_ATTRIBUTES');
  return {
    url,
    headers: {
      ...listIn(env, 'OTEL_EXPORTER_OTLP_HEADERS'),
      ...listIn(env, 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'),
    },
    serviceName: env.OTEL_SERVICE_NAME || named || SERVICE_NAME,
    resource,
  };
}

function urlOf(env: Env, endpoint: string | undefined): string | null {
  const traces = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
  const general = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  if (env[traces]) return checkedUrl(traces, env[traces]);
  const base = env[general] ? checkedUrl(general, env[general]) : endpoint;
  return base === undefined ? null : `${base.replace(/\/+$/, '')}${TRACES_PATH}`;
}

function checkedUrl(variable: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isUsable = url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isUsable) return text;
  throw new SignalboxError(
    'config_invalid',
    `${variable}: expected a URL that begins with http:// or https://, without a user or password in it (those go into OTEL_EXPORTER_OTLP_HEADERS)`,
    { details: { variable } },
  );
}

/** `name=value,name=value`, with values as in a URL. @throws SignalboxError `config_invalid`, without the value */
function listIn(env: Env, variable: string): Record<string, string> {
  const pairs = (env[variable] ?? '').split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      const name = pair.slice(0, at).trim();
      if (at < 1 || name === '') throw badList(variable);
      try {
        return [name, decodeURIComponent(pair.slice(at + 1).trim())];
      } catch (cause) {
        throw badList(variable, cause);
      }
    }),
  );
}

function badList(variable: string, cause?: unknown): SignalboxError {
  return new SignalboxError(
    'config_invalid',
    `${variable}: expected NAME=VALUE, or several with commas between, with values encoded as in a URL`,
    { cause, details: { variable } },
  );
}
