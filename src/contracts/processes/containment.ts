/**
 * Containment: what is known about the processes that an agent starts and leaves behind. The first of these ways that the
 * machine allows is used, unless the configuration names one.
 *
 * - `subreaper` (Linux, with perl): the launcher of an attempt becomes the parent of every process that loses its own, also of
 *   one in another session and with an empty environment. It ends when none is left: that proves that nothing got out.
 * - `search`: processes are looked for by descent, group, session and environment. A process that left all four is not found,
 *   so how many are left is unknown, also if none is found.
 */
export const CONTAINMENTS = ['subreaper', 'search'] as const;
export type Containment = (typeof CONTAINMENTS)[number];

/** What each can tell after a kill. */
export const CONTAINMENT_TEXTS: Readonly<Record<Containment, string>> = {
  subreaper: 'nothing that an agent starts gets out; a kill proves that nothing is left',
  search:
    'a process that changes its session, loses its parent and clears its environment is not found; after a kill it is unknown whether one is left',
};
