import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Environment } from '../executables.ts';
import { namesIn } from '../files.ts';

/** Where a private apt takes packages from: what the machine has configured, or the text of a `.sources` file. */
export type AptSources = Readonly<{ kind: 'machine' }> | Readonly<{ kind: 'own'; text: string }>;

const COMMAND_TIMEOUT_MS = 180_000;

/**
 * apt-get with lists, caches and locks of its own in one directory, so that it needs no root and changes nothing on
 * the machine. It keeps the machine's proxies, credentials and keys, but not its hooks.
 */
export class PrivateApt {
  readonly #directory: string;
  readonly #env: Environment;

  private constructor(directory: string, env: Environment) {
    this.#directory = directory;
    this.#env = env;
  }

  /** Prepares `directory`, which has to exist and to be empty. */
  static async create(directory: string, sources: AptSources, env: Environment): Promise<PrivateApt> {
    for (const name of ['parts', 'sources', 'lists/partial', 'archives/partial']) {
      await mkdir(join(directory, name), { recursive: true });
    }
    await linkMachineConfiguration(join(directory, 'parts'));
    await writeFile(join(directory, 'status'), '');
    if (sources.kind === 'own')
      await writeFile(join(directory, 'sources', 'signalbox.sources'), sources.text);
    await writeFile(join(directory, 'parts', 'zzz-signalbox'), configuration(directory, sources));
    // apt reads the file that APT_CONFIG names first: it points to the parts, of which ours is the last word.
    await writeFile(
      join(directory, 'apt.conf'),
      `Dir::Etc::parts "${join(directory, 'parts')}";\nDir::Etc::main "/dev/null";\n`,
    );
    return new PrivateApt(directory, env);
  }

  /** Runs apt-get and returns what it prints. Throws an Error that carries apt's own first error. */
  async run(args: readonly string[], cwd = this.#directory): Promise<string> {
    const result = await execa('apt-get', ['--quiet', ...args], {
      cwd,
      env: { ...this.#env, APT_CONFIG: join(this.#directory, 'apt.conf'), LC_ALL: 'C' },
      extendEnv: false,
      stdin: 'ignore',
      timeout: COMMAND_TIMEOUT_MS,
      reject: false,
    });
    if (!result.failed) return result.stdout;
    // The first error is the cause, the others follow from it.
    const reason = /^E: (.*)$/m.exec(result.stderr)?.[1] ?? result.shortMessage;
    throw new Error(`apt-get ${args[0]}: ${reason}`, { cause: result });
  }
}

async function linkMachineConfiguration(parts: string): Promise<void> {
  const machineParts = '/etc/apt/apt.conf.d';
  for (const name of await namesIn(machineParts)) await symlink(join(machineParts, name), join(parts, name));
  if ((await namesIn('/etc/apt')).includes('apt.conf'))
    await symlink('/etc/apt/apt.conf', join(parts, 'zzy-machine'));
}

/** Hooks are cleared because they act on the machine's own apt; index targets because only package lists are needed. */
function configuration(directory: string, sources: AptSources): string {
  const own = (name: string): string => join(directory, name);
  const settings: [name: string, value: string][] = [
    ['Dir::State::lists', own('lists')],
    ['Dir::State::status', own('status')],
    ['Dir::State::extended_states', own('extended_states')],
    ['Dir::Cache::archives', own('archives')],
    ['Dir::Cache::pkgcache', ''],
    ['Dir::Cache::srcpkgcache', ''],
    ['Debug::NoLocking', 'true'],
    // Says that a mirror cannot be reached, which is no error to apt otherwise.
    ['APT::Update::Error-Mode', 'any'],
    ['Acquire::Languages', 'none'],
    ['Acquire::Retries', '2'],
    ['Acquire::http::Timeout', '20'],
    ['Acquire::https::Timeout', '20'],
    ['Acquire::IndexTargets::deb::Packages::MetaKey', '$(COMPONENT)/binary-$(ARCHITECTURE)/Packages'],
    ['Acquire::IndexTargets::deb::Packages::flatMetaKey', 'Packages'],
    ['Acquire::IndexTargets::deb::Packages::ShortDescription', 'Packages'],
    ['Acquire::IndexTargets::deb::Packages::Description', '$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages'],
    ['Acquire::IndexTargets::deb::Packages::flatDescription', '$(RELEASE) Packages'],
    ['Acquire::IndexTargets::deb::Packages::Optional', '0'],
  ];
  // The user that apt would change to cannot write here.
  if (process.getuid?.() === 0) settings.push(['APT::Sandbox::User', 'root']);
  if (sources.kind === 'own') {
    settings.push(['Dir::Etc::sourcelist', '/dev/null'], ['Dir::Etc::sourceparts', own('sources')]);
    settings.push(['Dir::Etc::preferences', '/dev/null'], ['Dir::Etc::preferencesparts', '/dev/null']);
    // Whatever the machine allows for its own sources: these it has not chosen.
    settings.push(
      ['Acquire::AllowInsecureRepositories', 'false'],
      ['APT::Get::AllowUnauthenticated', 'false'],
    );
  }
  const cleared = ['APT::Update', 'DPkg', 'Acquire::IndexTargets', 'Acquire::Languages'];
  return [
    ...cleared.map((name) => `#clear ${name};`),
    ...settings.map(([name, value]) => `${name} "${value}";`),
    '',
  ].join('\n');
}
