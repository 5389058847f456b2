import { layoutOf } from '../../../src/daemon/embedded/layout.ts';
import { findGuard } from '../../../src/daemon/embedded/running.ts';

/** What to put before a command so that the server ends when the test process is killed; empty if the system cannot do this. */
export async function dieWithParent(directory: string): Promise<readonly string[]> {
  const { command } = await findGuard({ ...layoutOf(directory), lockFile: '/dev/null' }, process.env);
  return command.slice(
    0,
    command.findIndex((each) => each.endsWith('flock')),
  );
}
