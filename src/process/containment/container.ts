/** How the processes of an attempt are kept together on this machine: found out once, before the first one starts. */
import { join } from 'node:path';
import { platform } from 'node:process';
import { SignalboxError, unreachable } from '../../contracts/errors.ts';
import { CHOSEN_UNNAMED, type Containment } from '../../contracts/processes/containment.ts';
import { CODE_ROOT } from '../../version.ts';
import { findCgroupBase } from './cgroup/cgroup-base.ts';
import { findPerl, type Perl, tryPerl } from './perl.ts';

export type Container =
  /** `base` is the cgroup below which Signalbox may make others. */
  | { readonly kind: 'cgroup'; readonly base: string }
  /** `user`: only together with a user namespace, which the kernel grants to ordinary users. */
  | { readonly kind: 'pid_namespace'; readonly perl: Perl; readonly user: boolean }
  | { readonly kind: 'subreaper'; readonly perl: Perl }
  | { readonly kind: 'search' };

/** A way that this machine does not allow. */
export interface Missing {
  readonly kind: Containment;
  readonly why: string;
}

export interface Choice {
  readonly container: Container;
  /** Better ways, the best first. */
  readonly missing: readonly Missing[];
}

const SET_CHILD_SUBREAPER = 36;
const NAMESPACE = join(CODE_ROOT, 'src/process/launch/namespace.pl');

/** The short name of a launcher that only waits for the last process of its attempt (launcher.sh). */
export const WAITING_NAME = 'perl';

/** What this machine allows, or why it does not. */
const found = new Map<Containment, Container | string>();

/**
 * @param wanted a way that the configuration names, or `auto` for the best one that changes nothing for agents
 * @throws SignalboxError `config_invalid`, with the reason, if this machine does not allow it
 */
export function containerFor(wanted: Containment | 'auto'): Choice {
  const missing: Missing[] = [];
  for (const kind of wanted === 'auto' ? CHOSEN_UNNAMED : [wanted]) {
    const container = found.get(kind) ?? find(kind);
    found.set(kind, container);
    if (typeof container !== 'string') return { container, missing };
    missing.push({ kind, why: container });
  }
  const why = missing.map((each) => each.why).join('; ');
  throw new SignalboxError(
    'config_invalid',
    `containment: "${wanted}" is not possible on this machine: ${why}; leave it out, or set it to "auto"`,
  );
}

function find(kind: Containment): Container | string {
  if (kind === 'search') return { kind };
  if (platform !== 'linux') return `it needs Linux, and this is ${platform}`;
  const perl = findPerl();
  if (kind === 'cgroup') return findCgroupBase(perl);
  if (typeof perl === 'string') return perl;
  return kind === 'pid_namespace' ? findNamespace(perl) : findSubreaper(perl);
}

/** A grandchild becomes a child when its parent ends. */
function findSubreaper(perl: Perl): Container | string {
  const code = `${becomeSubreaper(perl)} my $n = 0; unless (fork) { fork; exit } $n++ while wait != -1; exit($n == 2 ? 0 : 1)`;
  const failure = tryPerl(perl, '-e', code);
  return failure === undefined
    ? { kind: 'subreaper', perl }
    : `orphans are not handed to ${perl.program}: ${failure}`;
}

/** Makes the process the parent of all orphans among its descendants, also after it has executed another program. */
function becomeSubreaper({ calls }: Perl): string {
  return `syscall(${calls.prctl}, ${SET_CHILD_SUBREAPER}, 1, 0, 0, 0) == 0 or die "prctl: $!\\n";`;
}

/** Also a namespace depends on the launcher as the parent of all orphans: for what is left if its first process is killed. */
function findNamespace(perl: Perl): Container | string {
  const subreaper = findSubreaper(perl);
  if (typeof subreaper === 'string') return subreaper;
  const container = { kind: 'pid_namespace', perl, user: process.geteuid?.() !== 0 } as const;
  const [program, ...args] = inNamespace(container, '/', '/bin/sh', [
    '-c',
    '[ $$ = 2 ] && [ -e /proc/2/stat ]',
  ]);
  const failure = tryPerl(perl, ...args);
  return failure === undefined ? container : `${program} cannot make a PID namespace: ${failure}`;
}

/** The command that runs a program in a PID namespace of its own. @param directory of the attempt, for its records */
function inNamespace(
  { perl, user }: Extract<Container, { kind: 'pid_namespace' }>,
  directory: string,
  program: string,
  args: readonly string[],
): [string, ...string[]] {
  const { prctl, unshare, mount } = perl.calls;
  const owner = user ? 'user' : 'root';
  return [perl.program, NAMESPACE, `${prctl},${unshare},${mount}`, owner, directory, program, ...args];
}

/** The command of a launcher, which runs in the container as far as it has to. */
export function launcherIn(
  container: Container,
  command: readonly [string, ...string[]],
): [string, ...string[]] {
  switch (container.kind) {
    case 'pid_namespace':
    case 'subreaper': {
      const code = `${becomeSubreaper(container.perl)} exec { $ARGV[0] } @ARGV; die "exec: $!\\n"`;
      return [container.perl.program, '-e', code, ...command];
    }
    case 'cgroup':
    case 'search':
      return [...command];
    default:
      return unreachable(container, 'launcherIn');
  }
}

/** The command of an agent, which the launcher executes. @param directory of the attempt */
export function agentIn(
  container: Container,
  directory: string,
  program: string,
  args: readonly string[],
): [string, ...string[]] {
  return container.kind === 'pid_namespace'
    ? inNamespace(container, directory, program, args)
    : [program, ...args];
}

/** The perl that waits for orphans after the agent has ended; null if the launcher is not their parent. */
export function waitingProgram(container: Container): string | null {
  return container.kind === 'pid_namespace' || container.kind === 'subreaper' ? container.perl.program : null;
}
