/** A private apt that needs no root, and the sources of the next Debian release for it. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Variables } from '../../base/environment.ts';
import { readIfExists } from '../../base/files.ts';
import { namesIn } from './files.ts';
import { isReadable } from './program.ts';

/** The package sources of a private apt: those of the machine, or the text of a `.sources` file. */
export type AptSources = Readonly<{ kind: 'machine' }> | Readonly<{ kind: 'own'; text: string }>;

const COMMAND_TIMEOUT_MS = 180_000;

/** Runs apt-get and returns its output. Throws an Error with apt's own first error. */
export type RunApt = (args: readonly string[], cwd?: string) => Promise<string>;

/**
 * apt-get with lists, caches and locks of its own in `directory`, which must exist and be empty. It needs no root and
 * changes nothing on the machine; it keeps the machine's proxies, credentials and keys, but not its hooks.
 */
export async function privateApt(directory: string, sources: AptSources, env: Variables): Promise<RunApt> {
  for (const name of ['parts', 'sources', 'lists/partial', 'archives/partial']) {
    await mkdir(join(directory, name), { recursive: true });
  }
  const parts = join(directory, 'parts');
  await linkMachineConfiguration(parts);
  await writeFile(join(directory, 'status'), '');
  if (sources.kind === 'own') await writeFile(join(directory, 'sources', 'signalbox.sources'), sources.text);
  await writeFile(join(parts, 'zzz-signalbox'), configuration(directory, sources));
  // apt reads the file in APT_CONFIG first: it points to the parts, of which ours is read last.
  const main = join(directory, 'apt.conf');
  await writeFile(main, `Dir::Etc::parts "${parts}";\nDir::Etc::main "/dev/null";\n`);
  return async (args, cwd = directory) => {
    const result = await execa('apt-get', ['--quiet', ...args], {
      cwd,
      env: { ...env, APT_CONFIG: main, LC_ALL: 'C' },
      extendEnv: false,
      stdin: 'ignore',
      timeout: COMMAND_TIMEOUT_MS,
      reject: false,
    });
    if (!result.failed) return result.stdout;
    // The first error is the cause of the others.
    const reason = /^E: (.*)$/m.exec(result.stderr)?.[1] ?? result.shortMessage;
    throw new Error(`apt-get ${args[0]}: ${reason}`, { cause: result });
  };
}

async function linkMachineConfiguration(parts: string): Promise<void> {
  const machineParts = '/etc/apt/apt.conf.d';
  for (const name of await namesIn(machineParts)) await symlink(join(machineParts, name), join(parts, name));
  if ((await namesIn('/etc/apt')).includes('apt.conf'))
    await symlink('/etc/apt/apt.conf', join(parts, 'zzy-machine'));
}

/** Clears hooks, which act on the machine's own apt, and index targets, of which only package lists are needed. */
function configuration(directory: string, sources: AptSources): string {
  // The user that apt would switch to cannot write here.
  const user = process.getuid?.() === 0 ? 'APT::Sandbox::User "root";' : '';
  // Unsigned packages are refused even if the machine accepts them from its own sources.
  const own = `
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "${directory}/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::AllowInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";`;
  // With the error mode "any", an unreachable mirror is an error.
  return `#clear APT::Update;
#clear DPkg;
#clear Acquire::IndexTargets;
#clear Acquire::Languages;
Dir::State::lists "${directory}/lists";
Dir::State::status "${directory}/status";
Dir::State::extended_states "${directory}/extended_states";
Dir::Cache::archives "${directory}/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Debug::NoLocking "true";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Acquire::IndexTargets::deb::Packages::MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages";
Acquire::IndexTargets::deb::Packages::flatMetaKey "Packages";
Acquire::IndexTargets::deb::Packages::ShortDescription "Packages";
Acquire::IndexTargets::deb::Packages::Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages";
Acquire::IndexTargets::deb::Packages::flatDescription "$(RELEASE) Packages";
Acquire::IndexTargets::deb::Packages::Optional "0";
${user}${sources.kind === 'own' ? own : ''}
`;
}

/** The first Debian release whose nats-server (2.10.27) is without the defects of the 2.9 line. */
const RELEASE = { number: 13, name: 'trixie' } as const;

/** The keys of the package debian-archive-keyring; the ending differs between releases. */
const KEYRINGS = ['pgp', 'gpg'].map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`);

/**
 * On a Debian older than `RELEASE`: the sources of that release, on the mirrors of this machine. Undefined on any other
 * system. Throws an Error if they cannot be derived. Uses `directory` for its files.
 */
export async function newerDebianSources(directory: string, env: Variables): Promise<AptSources | undefined> {
  const codename = olderDebian((await readIfExists('/etc/os-release')) ?? '');
  if (codename === undefined) return undefined;
  const keyring = await firstReadable(KEYRINGS);
  if (keyring === undefined)
    throw new Error('the package debian-archive-keyring, which is needed to verify packages, is missing');
  const runApt = await privateApt(directory, { kind: 'machine' }, env);
  const targets = await runApt([
    '--no-release-info',
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT)',
  ]);
  const mirrors = debianMirrors(targets, codename);
  if (mirrors.length === 0) throw new Error(`no package source offers the main component of ${codename}`);
  return { kind: 'own', text: sourcesFile(mirrors, keyring) };
}

/** The codename of the running system if `text` (an os-release file) is that of a Debian before `RELEASE`. */
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
 * The repositories, of lines `<uri> <release> <component>`, that look like Debian's main archive. Another repository
 * that looks the same does no harm: it lacks Debian's signature.
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
