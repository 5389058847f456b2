/** Pages that are written from the code. `npm run docs` brings them up to date. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { configFileSchemaFor } from '../../../src/config/schema/config.ts';
import { BUNDLED_DRIVER_NAMES } from '../../../src/drivers/bundled/index.ts';
import { commandsPage } from '../../support/documents/commands-page.ts';
import { configurationPage } from '../../support/documents/configuration-page.ts';
import { ROOT } from '../../support/process/build.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

const reference = (page: string): string => join(ROOT, 'docs/reference', page);

describe('the reference pages', () => {
  it('list every command with its options', async () => {
    const program = await createProgram(new RecordedTerminal(), []);
    await expect(commandsPage(program)).toMatchFileSnapshot(reference('commands.md'));
  });

  it('list every key of the configuration', async () => {
    const page = configurationPage(configFileSchemaFor(BUNDLED_DRIVER_NAMES));
    await expect(page).toMatchFileSnapshot(reference('configuration.md'));
  });
});
