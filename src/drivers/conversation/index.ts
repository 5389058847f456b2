/** The protocols: the only list of them beside their names. */
import { claudeProtocol } from './claude.ts';
import type { ProtocolName } from './names.ts';
import type { Protocol } from './protocol.ts';

export const PROTOCOLS: Readonly<Record<ProtocolName, Protocol>> = { claude: claudeProtocol };
