/** The address of the Signalbox that the configuration in the current directory describes. */
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { readIfExists } from '../base/files.ts';
import { DEFAULT_CONFIG_NAMES } from '../config/default-names.ts';

const serverSchema = z.object({
  server: z.object({ port: z.int().min(1).max(65_535), host: z.string().optional() }),
});

/**
 * Only the port counts, on this machine: a file in the current directory must not send a token elsewhere.
 * @returns null if there is no such file, or none that names a port
 */
export async function localAddress(directory: string): Promise<string | null> {
  for (const name of DEFAULT_CONFIG_NAMES) {
    const text = await readIfExists(resolve(directory, name)).catch(() => null);
    if (text === null) continue;
    const { server } = serverSchema.safeParse(yamlOf(text)).data ?? {};
    if (server === undefined) return null;
    return `http://${server.host === '::1' ? '[::1]' : '127.0.0.1'}:${server.port}`;
  }
  return null;
}

/** A file that is not valid says nothing here: `signalbox config check` says what is wrong. */
function yamlOf(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return null;
  }
}
