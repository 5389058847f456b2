import { join } from 'node:path';
import type { SignalboxConfig } from './schema/config.ts';

/** The file with the hashes of people's tokens. */
export function tokensFile({ server, data_dir }: SignalboxConfig): string {
  return server.tokens_file ?? join(data_dir, 'tokens.json');
}
