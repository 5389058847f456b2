/** Where traces are sent, from the configuration and the environment variables of OpenTelemetry. */
import type { Variables } from '../../base/environment.ts';
import { SignalboxError } from '../../contracts/errors.ts';

export interface TelemetrySettings {
  readonly url: string;
  /** May contain a key: never log them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly resource: Readonly<Record<string, string>>;
}

const SERVICE_NAME = 'signalbox';
const TRACES_PATH = '/v1/traces';

/**
 * null if traces are off, which they are without an endpoint. Variables override the configuration; variables for traces
 * override those for all signals.
 * @throws SignalboxError `config_invalid` for an unusable variable
 */
export function telemetrySettings(
  { endpoint }: { readonly endpoint?: string | undefined },
  env: Variables,
): TelemetrySettings | null {
  const url = urlOf(env, endpoint);
  const isOff = env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none';
  if (url === null || isOff) return null;
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL;
  if (protocol === 'grpc') {
    throw new SignalboxError(
      'config_invalid',
      'OTEL_EXPORTER_OTLP_PROTOCOL: Signalbox sends traces over HTTP, not over grpc. Set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json, and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to the HTTP port of the collector (usually 4318)',
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

function urlOf(env: Variables, endpoint: string | undefined): string | null {
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
    `${variable}: expected a URL that begins with http:// or https://, without a user or password (use OTEL_EXPORTER_OTLP_HEADERS)`,
    { details: { variable } },
  );
}

/** Parses `name=value,name=value` with URL-encoded values. @throws SignalboxError `config_invalid`, without the value */
function listIn(env: Variables, variable: string): Record<string, string> {
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
    `${variable}: expected NAME=VALUE pairs separated by commas, with URL-encoded values`,
    { cause, details: { variable } },
  );
}
