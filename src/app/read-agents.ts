/** Who is there to take tasks. */
import type { AppContext } from './context.ts';
import type { Json } from './task-json.ts';

/** The configured agents, in the order of the configuration. */
export function listAgents(app: AppContext): readonly Json[] {
  return [...app.roster.all()].map(({ id, driver, capabilities, concurrency }) => {
    const agent = app.host.get('agent', id);
    return {
      id,
      state: agent?.state ?? 'offline',
      running: agent?.context.running ?? 0,
      concurrency,
      driver: driver.name,
      capabilities,
    };
  });
}
