import { describe, expect, it } from 'vitest';
import { oneLine, printable } from '../../../src/base/text/printable.ts';
import { createLogger } from '../../../src/cli/log-stream.ts';
import { progressOn, progressText, shownReading } from '../../../src/cli/text/progress.ts';
import { tableLines } from '../../../src/cli/text/table.ts';
import { ageText, bytesText, durationText } from '../../../src/cli/text/time.ts';
import { pad, shorten, widthOf } from '../../../src/cli/text/width.ts';
import { memorySource } from '../../../src/engine/replay/event-source.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

describe('the width of a text', () => {
  it.each([
    ['plain', 5],
    ['', 0],
    ['审查代码', 8],
    ['カタカナ', 8],
    ['ｱｲｳ', 3],
    ['한글', 4],
    ['（全角）', 8],
    ['e\u0301te\u0301', 3],
    ['👍', 2],
    ['👨‍👩‍👧', 2],
    ['🇨🇭', 2],
    ['❤️', 2],
    ['❤', 1],
    ['a\u200bb', 2],
    ['→ …', 3],
  ])('of %j is %i columns', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  it('shortens to the width, never in the middle of a character', () => {
    expect(shorten('审查代码', 8)).toBe('审查代码');
    expect(shorten('审查代码', 7)).toBe('审查代…');
    expect(shorten('审查代码', 6)).toBe('审查…');
    expect(shorten('👨‍👩‍👧👍', 3)).toBe('👨‍👩‍👧…');
    expect(shorten('abc', 0)).toBe('');
    expect(pad('审', 4)).toBe('审  ');
    expect(pad('7', 3, 'right')).toBe('  7');
  });
});

describe('a long text', () => {
  const long = '审查 e\u0301👨‍👩‍👧 '.repeat(20_000);

  it('is measured and shortened in a time that grows with its length only', { timeout: 5_000 }, () => {
    expect(widthOf(long)).toBe(20_000 * 9);
    expect(shorten(long, 9)).toBe('审查 e\u0301👨‍👩‍👧…');
    expect(shorten(long, Number.POSITIVE_INFINITY)).toBe(long);
  });

  it('does not make the other lines of a table as long, also where lines have no end', () => {
    const both = [
      { title: 'A', text: (row: string) => row },
      { title: 'B', text: () => 'b' },
    ];
    const lines = tableLines(new RecordedTerminal(), both, [long, 'short', 'x\n'.repeat(100_000)]);
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line.length).toBeLessThan(1_100);
  });
});

describe('text from agents', () => {
  it('shows control characters as symbols', () => {
    expect(printable('\u001b]0;title\u0007 \u001b[2J\u009b31m\u007f')).toBe('␛]0;title␇ ␛[2J\ufffd31m␡');
    expect(printable('a\r\nb\rc\td')).toBe('a\nb␍c\td');
    expect(printable('evil\u202etxt.exe')).toBe('evil\ufffdtxt.exe');
    expect(oneLine('  two\n lines\u0000 ')).toBe('two lines␀');
    expect(printable('审查 👨‍👩‍👧 é')).toBe('审查 👨‍👩‍👧 é');
  });
});

describe('a table', () => {
  const columns = [
    { title: 'ID', text: (row: { id: string }) => row.id, isName: true },
    { title: 'N', text: (row: { n: number }) => row.n, align: 'right' as const },
    { title: 'TITLE', text: (row: { title: string }) => row.title },
  ];
  const rows = [
    { id: 'first', n: 1, title: '审查这个仓库的代码和历史' },
    { id: 'second', n: 12, title: 'a\u001b[31m title\nof two lines' },
  ];

  it('aligns columns by their visible width', () => {
    expect(tableLines(new RecordedTerminal(), columns, rows)).toEqual([
      'ID       N  TITLE',
      'first    1  审查这个仓库的代码和历史',
      'second  12  a␛[31m title of two lines',
    ]);
  });

  it('fits into the terminal, and cuts names last', () => {
    const terminal = { columns: 24, style: (_: string, text: string) => text };
    const lines = tableLines(terminal, columns, rows);
    expect(lines[1]).toBe('first    1  审查这个仓…');
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(24);
    expect(tableLines({ ...terminal, columns: 16 }, columns, rows)[1]).toBe('first    1  审…');
  });
});

describe('times and sizes', () => {
  it('are readable', () => {
    expect([340, 2_500, 80_000, 11_100_000, 187_200_000].map(durationText)).toEqual([
      '340 ms',
      '2.5 s',
      '1 m 20 s',
      '3 h 5 m',
      '2 d 4 h',
    ]);
    expect(ageText('2026-01-01T00:00:00Z', Date.parse('2026-01-01T02:30:00Z'))).toBe('2h');
    expect([0, 999, 1_000, 85_300_000_000].map(bytesText)).toEqual([
      '0 bytes',
      '999 bytes',
      '1.0 kB',
      '85.3 GB',
    ]);
  });
});

describe('the log for people', () => {
  it('has a line for each message, with its bindings, and no control characters', () => {
    let text = '';
    const logger = createLogger(
      'info',
      {
        write: (line) => {
          text += line;
        },
      },
      (_, plain) => plain,
    );
    logger
      .child({ task: 't1', detail: 'two words' })
      .warn({ err: new Error('no \u001b[31mluck') }, 'did not start');
    expect(text).toMatch(
      /^\d\d:\d\d:\d\d warn {2}did not start {2}task=t1 detail="two words" error="no \\u001b\[31mluck"\n$/,
    );
  });

  it('is JSON if the output is not a terminal', () => {
    let text = '';
    createLogger('info', {
      write: (line) => {
        text += line;
      },
    }).info({ port: 1 }, 'ready');
    expect(JSON.parse(text)).toMatchObject({ level: 30, port: 1, msg: 'ready' });
  });
});

describe('progress', () => {
  it('is redrawn some times per second on a terminal, and removed at the end', () => {
    let now = 0;
    const terminal = new RecordedTerminal(80);
    const progress = progressOn(terminal, 'read', () => now);
    for (const [time, done] of [
      [50, 500],
      [2_000, 12_000],
      [2_050, 12_500],
      [4_000, 24_000],
    ] as const) {
      now = time;
      progress.update(done, 48_000);
    }
    progress.clear();
    progress.clear();
    expect(terminal.drawn.split('\r\u001b[2K')).toEqual([
      '',
      'read 12,000 of 48,000 events (25 %), 6,000 a second, 6.0 s left',
      'read 24,000 of 48,000 events (50 %), 6,000 a second, 4.0 s left',
      '',
    ]);
    expect(terminal.out + terminal.err).toBe('');
  });

  it('shows count and rate if the total is unknown', () => {
    expect(progressText(3_000, 0, 1_500)).toBe('3,000 events, 2,000 a second');
  });

  it('counts the events read from a source, and prints nothing if the output is not a terminal', async () => {
    const messages = [1, 2, 3, 4].map((sequence) => ({
      sequence,
      id: `w-${sequence}`,
      subject: 'signalbox.v1.evt.demo.task.a.created',
      bytes: new Uint8Array(),
    }));
    const source = memorySource(messages);
    expect(shownReading(source, progressOn(new RecordedTerminal(), 'read'))).toBe(source);
    const seen: [number, number][] = [];
    const update = (done: number, total: number): void => void seen.push([done, total]);
    const progress = { ...progressOn(new RecordedTerminal(80), 'read'), update };
    for await (const _ of shownReading(source, progress).read({ from: 2, to: 3 }));
    expect(seen).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });
});
