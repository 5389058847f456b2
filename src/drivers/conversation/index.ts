/** The protocols: the only list of them beside their names. */
import { acpProtocol } from './acp/speaker.ts';
import { claudeProtocol } from './claude.ts';
import type { ProtocolName } from './names.ts';
import type { Protocol, ProtocolSettings } from './protocol.ts';

export const PROTOCOLS: Readonly<Record<ProtocolName, (settings: ProtocolSettings) => Protocol>> = {
  claude: () => claudeProtocol,
  acp: acpProtocol,
};
