/** @param {string[]} head @param {(string | number)[][]} rows the first column is text, the others are aligned right */
export function table(head, rows) {
  const line = (/** @type {(string | number)[]} */ cells) => `| ${cells.map(cellText).join(' | ')} |`;
  return [
    line(head),
    `|${head.map((_, index) => (index === 0 ? '---' : '--:')).join('|')}|`,
    ...rows.map(line),
  ].join('\n');
}

/** @param {string | number} value */
function cellText(value) {
  return String(value).replace(/\s+/g, ' ').replaceAll('|', '\\|');
}

/** At most two decimals, thousands apart. @param {number} value */
export function number(value) {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** `1 file`, `2 files`. @param {number} count @param {string} noun */
export function counted(count, noun) {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}
