/** Golden histories: `test/histories/<version>/<name>.ndjson` with the state that it leads to beside it. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson } from '../../../src/base/canonical-json.ts';
import { fileSource } from '../../../src/engine/replay/file-source.ts';
import { Replay } from '../../../src/engine/replay/replay.ts';
import { ActorHost } from '../../../src/engine/runtime/actor-host.ts';

export const HISTORIES = fileURLToPath(new URL('../../histories', import.meta.url));

export interface GoldenHistory {
  /** As in `0.1.0/reviews`. */
  readonly name: string;
  readonly file: string;
  readonly stateFile: string;
}

export function goldenHistory(version: string, name: string): GoldenHistory {
  const path = join(HISTORIES, version, name);
  return { name: `${version}/${name}`, file: `${path}.ndjson`, stateFile: `${path}.state.txt` };
}

export async function goldenHistories(): Promise<GoldenHistory[]> {
  const entries = await readdir(HISTORIES, { withFileTypes: true });
  const versions = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const found = await Promise.all(
    versions.map(async (version) => {
      const names = await readdir(join(HISTORIES, version));
      return names
        .filter((name) => name.endsWith('.ndjson'))
        .map((name) => goldenHistory(version, basename(name, '.ndjson')));
    }),
  );
  return found.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The state to which it leads today: a line for each entry of each projection. */
export async function stateOf({ file }: GoldenHistory): Promise<string> {
  await using replay = new Replay(fileSource(file), { host: new ActorHost() });
  await replay.advance(null);
  return Object.entries(replay.projections.toJSON())
    .flatMap(([name, json]) => linesOf(name, json))
    .join('');
}

function linesOf(name: string, json: unknown): string[] {
  if (Array.isArray(json)) return json.map((entry) => `${name} ${canonicalJson(entry)}\n`);
  return Object.entries(json as object).flatMap(([table, entries]: [string, unknown]) =>
    Array.isArray(entries)
      ? linesOf(`${name}.${table}`, entries)
      : [`${name}.${table} ${canonicalJson(entries)}\n`],
  );
}

export async function writeState(history: GoldenHistory): Promise<void> {
  await writeFile(history.stateFile, await stateOf(history));
}

export async function recordedState({ stateFile }: GoldenHistory): Promise<string> {
  return readFile(stateFile, 'utf8');
}
