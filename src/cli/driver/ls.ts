import { declaredDriverNames, resolveDriver } from '../../drivers/spec/resolve-driver.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import { driversOf } from './drivers.ts';
import type { DriverOptions } from './index.ts';

interface Row {
  readonly name: string;
  readonly program: string;
  readonly version: string | null;
  readonly prompt: string;
  readonly session: string;
  readonly output: string;
  readonly description: string;
}

/** Those that are code. */
const BUILT_IN: readonly Row[] = [
  row('command', 'any', 'any program, as its agent says', {
    prompt: 'as said',
    session: 'none',
    output: 'text',
  }),
  row('openclaw-gateway', '-', 'a subagent inside an OpenClaw Gateway', {
    prompt: 'frame',
    session: 'caller',
    output: 'frame',
  }),
  row('dry_run', '-', 'everything but the start', { prompt: '-', session: 'none', output: '-' }),
];

const COLUMNS: readonly Column<Row>[] = [
  { title: 'DRIVER', text: ({ name }) => name, isName: true },
  { title: 'PROGRAM', text: ({ program }) => program },
  { title: 'MADE FOR', text: ({ version }) => version ?? '-' },
  { title: 'PROMPT', text: ({ prompt }) => prompt },
  { title: 'SESSION', text: ({ session }) => session },
  { title: 'OUTPUT', text: ({ output }) => output },
  { title: 'WHAT', text: ({ description }) => description },
];

export async function listDrivers(terminal: Terminal, options: DriverOptions): Promise<void> {
  const drivers = await driversOf(options);
  const declared = declaredDriverNames(drivers).map((name): Row => {
    const { program, version, prompt, session, output, description } = resolveDriver(drivers, name);
    return {
      ...row(name, program, description, { prompt, session, output: output.format }),
      version: version ?? null,
    };
  });
  const rows = [...declared, ...BUILT_IN];
  if (options.json) terminal.print(JSON.stringify(rows, null, 2));
  else for (const line of tableLines(terminal, COLUMNS, rows)) terminal.print(line);
}

function row(
  name: string,
  program: string,
  description: string,
  how: Pick<Row, 'prompt' | 'session' | 'output'>,
): Row {
  return { name, program, version: null, description, ...how };
}
