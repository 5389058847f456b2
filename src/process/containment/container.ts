/** How the processes of an attempt are kept together on this machine: found out once, before the first one starts. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { arch, platform } from 'node:process';
import { SignalboxError } from '../../contracts/errors.ts';
import type { Containment } from '../../contracts/processes/containment.ts';

export type Container =
  | { readonly kind: 'subreaper'; readonly perl: string; readonly number: number }
  | { readonly kind: 'search'; readonly why: string };

/** The number of prctl(2), by architecture. */
const PRCTL: Readonly<Record<string, number>> = { x64: 157, arm64: 167, riscv64: 167 };
const SET_CHILD_SUBREAPER = 36;
const PLACES = ['/usr/bin/perl', '/bin/perl', '/usr/local/bin/perl'];
const MAX_TEST_MS = 10_000;

/** The short name of a launcher that only waits for the last process of its attempt (launcher.sh). */
export const WAITING_NAME = 'perl';

/** Makes the process the parent of all orphans among its descendants, also after it has executed another program. */
const become = (number: number): string =>
  `syscall(${number}, ${SET_CHILD_SUBREAPER}, 1, 0, 0, 0) == 0 or die "prctl: $!\\n";`;

/** Its grandchild becomes its child when its child ends. */
const test = (number: number): string =>
  `${become(number)} my $n = 0; unless (fork) { fork; exit } $n++ while wait != -1; exit($n == 2 ? 0 : 1)`;

let found: Container | undefined;

/**
 * @param wanted a way that the configuration names, or `auto`
 * @throws SignalboxError `config_invalid`, with the reason, if this machine does not allow it
 */
export function containerFor(wanted: Containment | 'auto'): Container {
  if (wanted === 'search') return { kind: 'search', why: 'the configuration says so' };
  found ??= findContainer();
  if (wanted === 'auto' || found.kind === 'subreaper') return found;
  const { why } = found;
  throw new SignalboxError(
    'config_invalid',
    `containment: "${wanted}" is not possible on this machine: ${why}; leave it out, or set it to "search"`,
  );
}

function findContainer(): Container {
  const search = (why: string): Container => ({ kind: 'search', why });
  const number = PRCTL[arch];
  if (platform !== 'linux' || number === undefined)
    return search(`there is no subreaper on ${platform} ${arch}`);
  const perl = PLACES.find(isExecutable);
  if (perl === undefined) return search(`there is no perl (${PLACES.join(', ')})`);
  const { status, error, stderr } = spawnSync(perl, ['-e', test(number)], {
    env: {},
    timeout: MAX_TEST_MS,
    encoding: 'utf8',
  });
  if (status === 0) return { kind: 'subreaper', perl, number };
  return search(
    `orphans are not handed to ${perl}: ${error?.message ?? (stderr.trim() || `status ${status}`)}`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The command that runs a command in the container. */
export function contained(
  container: Container,
  command: readonly [string, ...string[]],
): [string, ...string[]] {
  if (container.kind === 'search') return [...command];
  const code = `${become(container.number)} exec { $ARGV[0] } @ARGV; die "exec: $!\\n"`;
  return [container.perl, '-e', code, ...command];
}

/** Variables that would change what perl does. The launcher gives them back to the command. */
export const PERL_VARIABLES: readonly string[] = ['PERL5OPT', 'PERL5DB', 'PERL5LIB', 'PERLLIB'];
export const KEPT_PREFIX = '_signalbox_kept_';

export function containedEnvironment(
  container: Container,
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (container.kind === 'search') return env;
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      PERL_VARIABLES.includes(name) ? `${KEPT_PREFIX}${name}` : name,
      value,
    ]),
  );
}
