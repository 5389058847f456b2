import type { Command } from 'commander';
import { readTokens, type TokenEntry } from '../../operations/access/tokens-file.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import { ageText } from '../text/time.ts';
import { fileOf, type TokenOptions, withTokenOptions } from './options.ts';

export function addTokenLs(token: Command, terminal: Terminal): void {
  const command = withTokenOptions(token.command('ls'))
    .summary('list tokens')
    .description('Lists who has a token. The tokens themselves are kept nowhere.')
    .action(async (options: TokenOptions) => {
      const entries = await readTokens(await fileOf(options));
      if (options.json) {
        const shown = entries.map(({ name, role, created_at }) => ({ name, role, created_at }));
        terminal.print(JSON.stringify(shown, null, 2));
      } else if (entries.length === 0) {
        terminal.note('no tokens: whoever reaches Signalbox on this machine may do everything');
      } else {
        for (const line of tableLines(terminal, columnsOf(Date.now()), entries)) terminal.print(line);
      }
    });
  withExamples(command, [['Who may use Signalbox', 'signalbox token ls']]);
}

function columnsOf(now: number): Column<TokenEntry>[] {
  return [
    { title: 'NAME', text: ({ name }) => name, isName: true },
    { title: 'ROLE', text: ({ role }) => role },
    { title: 'AGE', text: ({ created_at }) => ageText(created_at, now), align: 'right' },
  ];
}
