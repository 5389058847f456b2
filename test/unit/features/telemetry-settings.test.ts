import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../../src/config/parse-config.ts';
import { telemetrySettings } from '../../../src/features/telemetry/settings.ts';

const settings = (env: Record<string, string>, endpoint?: string) =>
  telemetrySettings(checkConfig(endpoint === undefined ? {} : { telemetry: { endpoint } }).telemetry, env);

describe('traces', () => {
  it.each([
    ['there is no endpoint', {}, undefined],
    ['the variable is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
    ['the SDK is disabled', { OTEL_SDK_DISABLED: 'TRUE' }, 'http://c:4318'],
    ['the exporter for traces is none', { OTEL_TRACES_EXPORTER: 'none' }, 'http://c:4318'],
  ])('are off if %s', (_, env, endpoint) => {
    expect(settings(env as Record<string, string>, endpoint)).toBeNull();
  });

  it.each([
    ['the configuration', {}, 'http://c:4318', 'http://c:4318/v1/traces'],
    ['the configuration, with its path', {}, 'https://c/otlp/', 'https://c/otlp/v1/traces'],
    [
      'the variable, not the configuration',
      { ENDPOINT: 'http://e:1' },
      'http://c:4318',
      'http://e:1/v1/traces',
    ],
    [
      'the variable for traces, unchanged',
      { ENDPOINT: 'http://e:1', TRACES_ENDPOINT: 'http://t/x' },
      undefined,
      'http://t/x',
    ],
  ])('use the endpoint of %s', (_, variables, endpoint, url) => {
    const env = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [`OTEL_EXPORTER_OTLP_${name}`, value]),
    );
    expect(settings(env, endpoint)?.url).toBe(url);
  });

  it('use headers, name and resource of the environment', () => {
    const env = {
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20k=e%2Cy ,x-team= a%2Cb',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-team=other',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=not-this',
      OTEL_SERVICE_NAME: 'box',
    };
    expect(settings(env, 'http://c:4318')).toEqual({
      url: 'http://c:4318/v1/traces',
      headers: { authorization: 'Bearer k=e,y', 'x-team': 'other' },
      serviceName: 'box',
      resource: { 'deployment.environment.name': 'test' },
    });
    expect(settings({}, 'http://c:4318')?.serviceName).toBe('signalbox');
    expect(settings({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=this' }, 'http://c:4318')?.serviceName).toBe(
      'this',
    );
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, /^OTEL_EXPORTER_OTLP_ENDPOINT: expected a URL/],
    [
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'ftp://c' },
      /^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: expected a URL/,
    ],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me:secret@c' }, /without a user or password/],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /over HTTP, not over grpc/],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'secret' }, /^OTEL_EXPORTER_OTLP_HEADERS: expected NAME=VALUE/],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'key=%secret' }, /^OTEL_EXPORTER_OTLP_HEADERS: expected NAME=VALUE/],
  ])('are refused with %j, without a secret in the message', (env, message) => {
    const refused = () => settings(env as Record<string, string>, 'http://c:4318');
    expect(refused).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    expect(refused).toThrow(message);
    expect(refused).not.toThrow(/secret/);
  });

  it.each(['collector:4318', 'ftp://c', 'http://me:you@c', 7])(
    'cannot have the endpoint %j in the configuration',
    (endpoint) => {
      expect(() => settings({}, endpoint as string)).toThrow(/telemetry\.endpoint/);
    },
  );
});
