/** The names of the protocols that a driver can choose. */
export const PROTOCOL_NAMES = ['claude', 'acp'] as const;
export type ProtocolName = (typeof PROTOCOL_NAMES)[number];
