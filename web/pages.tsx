/**
 * The pages of the dashboard, one row each: router, navigation, keyboard, titles and help derive from this table. What is
 * not shown first is loaded on demand.
 */
import type { ComponentType } from 'preact';
import { AttentionPage } from './pages/attention.tsx';
import { BoardPage } from './pages/board.tsx';
import { TaskPage } from './pages/task/task.tsx';
import { onDemand } from './parts/base/on-demand.tsx';
import type { PageProps } from './parts/base/page.tsx';
import { attention, attentionCount } from './state/attention.ts';
import { board } from './state/board.ts';

interface PageRow {
  /** Address; `:name` is a parameter, which the component reads with `useRoute`. */
  readonly path: string;
  /** Heading, entry in the navigation and in the help, title of the browser tab. */
  readonly title: string;
  readonly component: ComponentType<PageProps>;
  /** For a page that has no entry of its own in the navigation: the entry to highlight. */
  readonly below?: string;
  readonly navigation?: NavigationEntry;
}

export interface NavigationEntry {
  /** The path of an SVG of 24 by 24, drawn as lines. */
  readonly icon: string;
  /** Opens the page when it is typed after `g`. */
  readonly key?: string;
  /** What waits on the page; shown if it is not 0. */
  readonly count?: () => number;
}

export const PAGES: readonly PageRow[] = [
  {
    path: '/ui/',
    title: 'Needs attention',
    component: AttentionPage,
    navigation: {
      icon: 'M6 10a6 6 0 1 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7M10 20a2 2 0 0 0 4 0',
      key: 'n',
      count: () => attentionCount.value,
    },
  },
  {
    path: '/ui/board',
    title: 'Board',
    component: BoardPage,
    navigation: { icon: 'M4 4h4v16H4zM10 4h4v10h-4zM16 4h4v13h-4z', key: 'b' },
  },
  {
    path: '/ui/tasks',
    title: 'Tasks',
    component: onDemand(async () => (await import('./pages/task/tasks.tsx')).TasksPage),
    navigation: { icon: 'M4 5h3v3H4zM4 11h3v3H4zM4 17h3v3H4zM10 6h10M10 12h10M10 18h10', key: 'l' },
  },
  {
    path: '/ui/new',
    title: 'Create a task',
    component: onDemand(async () => (await import('./pages/task/new-task.tsx')).NewTaskPage),
    below: '/ui/board',
  },
  { path: '/ui/projects/:project/tasks/:task', title: 'Task', component: TaskPage, below: '/ui/board' },
  {
    path: '/ui/projects/:project/tasks/:task/edit',
    title: 'Edit the task',
    component: onDemand(async () => (await import('./pages/task/edit-task.tsx')).EditTaskPage),
    below: '/ui/board',
  },
  {
    path: '/ui/projects/:project/tasks/:task/attempts/:attempt',
    title: 'Attempt',
    component: onDemand(async () => (await import('./pages/task/attempt.tsx')).AttemptPage),
    below: '/ui/board',
  },
  {
    path: '/ui/agents',
    title: 'Agents',
    component: onDemand(async () => (await import('./pages/agents.tsx')).AgentsPage),
    navigation: {
      icon: 'M8 4h8v5H8zM5 20v-4a3 3 0 0 1 3-3h8a3 3 0 0 1 3 3v4M12 9v4',
      key: 'a',
      count: () => attention.value.agents.length,
    },
  },
  {
    path: '/ui/agents/:agent',
    title: 'Agent',
    component: onDemand(async () => (await import('./pages/agent.tsx')).AgentPage),
    below: '/ui/agents',
  },
  {
    path: '/ui/queues',
    title: 'Queues',
    component: onDemand(async () => (await import('./pages/queues.tsx')).QueuesPage),
    navigation: { icon: 'M4 6h16M4 12h16M4 18h10', key: 'q' },
  },
  {
    path: '/ui/schedules',
    title: 'Schedules',
    component: onDemand(async () => (await import('./pages/schedules.tsx')).SchedulesPage),
    navigation: { icon: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3 3', key: 's' },
  },
  {
    path: '/ui/processes',
    title: 'Processes',
    component: onDemand(async () => (await import('./pages/processes.tsx')).ProcessesPage),
    navigation: { icon: 'M4 5h16v11H4zM9 20h6M12 16v4M8 9l2 2-2 2M12 13h4', key: 'p' },
  },
  {
    path: '/ui/dead-letters',
    title: 'Dead letters',
    component: onDemand(async () => (await import('./pages/dead-letters.tsx')).DeadLettersPage),
    navigation: {
      icon: 'M4 6l8 6 8-6M4 6h16v12H4z',
      key: 'd',
      count: () => (board.value?.counts.failed ?? 0) + (board.value?.counts.expired ?? 0),
    },
  },
  {
    path: '/ui/throughput',
    title: 'Throughput',
    component: onDemand(async () => (await import('./pages/throughput.tsx')).ThroughputPage),
    navigation: { icon: 'M4 20V4M4 20h16M7 15l4-5 3 3 5-7', key: 't' },
  },
  {
    path: '/ui/usage',
    title: 'Usage',
    component: onDemand(async () => (await import('./pages/usage.tsx')).UsagePage),
    navigation: { icon: 'M4 20V10M10 20V4M16 20v-8M22 20H2', key: 'c' },
  },
  {
    path: '/ui/audit',
    title: 'Audit',
    component: onDemand(async () => (await import('./pages/audit.tsx')).AuditPage),
    navigation: { icon: 'M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM9 12l2 2 4-4', key: 'u' },
  },
  {
    path: '/ui/machines',
    title: 'State machines',
    component: onDemand(async () => (await import('./pages/machines.tsx')).MachinesPage),
    navigation: {
      icon: 'M5 8a2.5 2.5 0 1 0 0-.01M19 8a2.5 2.5 0 1 0 0-.01M12 19a2.5 2.5 0 1 0 0-.01M7.5 7h9M6.5 9.5l4 7M17.5 9.5l-4 7',
    },
  },
];

/** The page at an address, and its name with the values of its parameters, as in `Task demo/hangs`. */
export function pageAt(address: string): { readonly page: PageRow; readonly name: string } | null {
  const steps = stepsOf(address);
  for (const page of PAGES) {
    const pattern = stepsOf(page.path);
    const isSame = pattern.every((step, index) => step.startsWith(':') || step === steps[index]);
    if (pattern.length !== steps.length || !isSame) continue;
    const parameters = steps.filter((_, index) => pattern[index]?.startsWith(':'));
    return { page, name: [page.title, parameters.join('/')].join(' ').trim() };
  }
  return null;
}

const stepsOf = (path: string): readonly string[] => path.split('/').filter((step) => step !== '');
