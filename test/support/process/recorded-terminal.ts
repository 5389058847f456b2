/** A terminal that records what is written to it. */
import type { Style, Terminal } from '../../../src/cli/terminal.ts';

export class RecordedTerminal implements Terminal {
  exitCode = 0;
  out = '';
  err = '';
  /** Progress texts, which an interactive terminal redraws. */
  drawn = '';
  readonly redraw: ((text: string) => void) | null;
  readonly isInteractive: boolean;
  readonly columns: number;

  /** @param columns with a width, the terminal is interactive */
  constructor(columns = Number.POSITIVE_INFINITY) {
    this.columns = columns;
    this.isInteractive = columns !== Number.POSITIVE_INFINITY;
    const draw = (text: string): void => {
      this.drawn += text;
    };
    this.redraw = this.isInteractive ? draw : null;
  }

  /** Styles are shown by name: `<red>text</red>`. */
  readonly style = (style: Style, text: string): string =>
    this.isInteractive ? `<${style}>${text}</${style}>` : text;

  print(line = ''): void {
    this.out += `${line}\n`;
  }

  write(text: string): void {
    this.out += text;
  }

  note(line: string): void {
    this.err += `${line}\n`;
  }

  onReaderGone(): void {}
}
