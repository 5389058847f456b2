/** The parameters of `connect` as a Gateway validates them: unknown ones are rejected. */
const CLIENT_MODES = ['webchat', 'cli', 'ui', 'backend', 'node', 'worker', 'probe', 'test'];
const KEYS = new Set(['minProtocol', 'maxProtocol', 'client', 'role', 'scopes', 'auth']);
const CLIENT_KEYS = new Set(['id', 'displayName', 'version', 'platform', 'mode']);

interface Problem {
  readonly code: string;
  readonly message: string;
  readonly details?: object;
  readonly close: number;
}

export function connectProblem(params: Record<string, unknown>, token: string): Problem | null {
  const client = (params.client ?? {}) as Record<string, unknown>;
  const isKnown =
    Object.keys(params).every((key) => KEYS.has(key)) &&
    Object.keys(client).every((key) => CLIENT_KEYS.has(key));
  if (!isKnown || client.id !== 'gateway-client' || !CLIENT_MODES.includes(String(client.mode)))
    return { code: 'INVALID_REQUEST', message: 'invalid connect params', close: 1008 };
  if (Number(params.minProtocol) > 4 || Number(params.maxProtocol) < 4)
    return {
      code: 'INVALID_REQUEST',
      message: 'protocol mismatch',
      details: { code: 'PROTOCOL_MISMATCH' },
      close: 1002,
    };
  if ((params.auth as { token?: unknown } | undefined)?.token !== token)
    return {
      code: 'INVALID_REQUEST',
      message: 'unauthorized',
      details: { code: 'AUTH_TOKEN_MISMATCH' },
      close: 1008,
    };
  return null;
}
