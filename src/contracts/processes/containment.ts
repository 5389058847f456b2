/**
 * Containment: what is known about the processes that an agent starts and leaves behind. The first of these ways that the
 * machine allows is used, unless the configuration names one; a PID namespace only if it is named, since it changes what agents
 * see.
 *
 * - `cgroup` (Linux, a cgroup v2 that Signalbox may write): each agent runs in a cgroup of its own. The kernel kills all of it at
 *   once, and says when it is empty.
 * - `pid_namespace` (Linux, with perl): each agent runs in a PID namespace of its own. It ends with its first process, whatever
 *   is in it, and an agent sees and signals no process outside.
 * - `subreaper` (Linux, with perl): the launcher of an attempt becomes the parent of every process that loses its own, also of
 *   one in another session and with an empty environment. It ends when none is left: that proves that nothing got out.
 * - `search`: processes are looked for by descent, group, session and environment. A process that left all four is not found,
 *   so how many are left is unknown, also if none is found.
 */
export const CONTAINMENTS = ['cgroup', 'pid_namespace', 'subreaper', 'search'] as const;
export type Containment = (typeof CONTAINMENTS)[number];

export const CHOSEN_UNNAMED: readonly Containment[] = ['cgroup', 'subreaper', 'search'];

/** What each can tell after a kill. */
export const CONTAINMENT_TEXTS: Readonly<Record<Containment, string>> = {
  cgroup: 'nothing that an agent starts gets out of its cgroup; the kernel proves that nothing is left',
  pid_namespace:
    'nothing that an agent starts gets out of its PID namespace, which ends as a whole; agents see no processes but their own',
  subreaper: 'nothing that an agent starts gets out; a kill proves that nothing is left',
  search:
    'a process that changes its session, loses its parent and clears its environment is not found; after a kill it is unknown whether one is left',
};
