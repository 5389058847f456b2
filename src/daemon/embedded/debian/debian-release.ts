import { type Environment, isReadable } from '../executables.ts';
import { readIfThere } from '../files.ts';
import { type AptSources, PrivateApt } from './apt.ts';

/** The first Debian release whose nats-server (2.10.27) is without the defects of the 2.9 line. */
const RELEASE = { number: 13, name: 'trixie' } as const;

/** Where the package debian-archive-keyring puts its keys; the ending differs between releases. */
const KEYRINGS = ['pgp', 'gpg'].map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`);

/**
 * On a Debian older than `RELEASE`: the sources of that release, on the mirrors that this machine uses for its own.
 * Undefined on any other system. Throws an Error when they cannot be derived. Uses `directory` for its files.
 */
export async function newerDebianSources(
  directory: string,
  env: Environment,
): Promise<AptSources | undefined> {
  const codename = olderDebian((await readIfThere('/etc/os-release')) ?? '');
  if (codename === undefined) return undefined;
  const keyring = await firstReadable(KEYRINGS);
  if (keyring === undefined)
    throw new Error('the package debian-archive-keyring, whose keys prove the origin, is missing');
  const apt = await PrivateApt.create(directory, { kind: 'machine' }, env);
  const targets = await apt.run([
    '--no-release-info',
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT)',
  ]);
  const mirrors = debianMirrors(targets, codename);
  if (mirrors.length === 0) throw new Error(`no package source offers the main component of ${codename}`);
  return { kind: 'own', text: sourcesFile(mirrors, keyring) };
}

/** The codename of the running system if `text` (an os-release file) is of a Debian before `RELEASE`. */
export function olderDebian(text: string): string | undefined {
  const fields = new Map(
    [...text.matchAll(/^([A-Z_]+)=(?:"(.*)"|(.*))$/gm)].map(([, name, quoted, plain]) => [
      name,
      quoted ?? plain,
    ]),
  );
  // Testing and unstable have no number.
  const number = Number(fields.get('VERSION_ID') ?? Number.NaN);
  return fields.get('ID') === 'debian' && number < RELEASE.number
    ? fields.get('VERSION_CODENAME')
    : undefined;
}

/**
 * The repositories, of lines `<uri> <release> <component>`, that look like Debian's main archive. A repository of
 * someone else that looks the same does no harm: its signature is not Debian's.
 */
export function debianMirrors(targets: string, codename: string): string[] {
  const releases = [codename, 'stable', 'oldstable', 'oldoldstable'];
  const mirrors = targets
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([uri, release, component]) =>
      uri && release && releases.includes(release) && component === 'main' ? [uri] : [],
    );
  return [...new Set(mirrors)];
}

function sourcesFile(mirrors: readonly string[], keyring: string): string {
  return [
    'Types: deb',
    `URIs: ${mirrors.join(' ')}`,
    `Suites: ${RELEASE.name}`,
    'Components: main',
    `Signed-By: ${keyring}`,
    '',
  ].join('\n');
}

async function firstReadable(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) if (await isReadable(file)) return file;
  return undefined;
}
