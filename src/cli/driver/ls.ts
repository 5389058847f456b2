import { declaredDriverNames, resolveDriver } from '../../drivers/declared/resolve-driver.ts';
import { CODE_DRIVERS } from '../../drivers/index.ts';
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
  const inCode = CODE_DRIVERS.flatMap(({ name, listing }) =>
    listing === null ? [] : [row(name, listing.program, listing.description, listing)],
  );
  const rows = [...declared, ...inCode];
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
