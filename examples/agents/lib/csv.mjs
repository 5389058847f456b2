/**
 * Reads CSV as RFC 4180 has it: quoted fields may hold commas, line breaks and doubled quotes; lines end in LF or CRLF.
 * @param {string} text
 * @returns {{ line: number, fields: string[] }[]} records with the line that each begins on; blank lines are left out
 * @throws {Error} if a quote is never closed
 */
export function parseCsv(text) {
  const field = /"([^"]*(?:""[^"]*)*)"|([^,\r\n]*)/y;
  const records = [];
  let line = 1;
  let position = text.startsWith('\uFEFF') ? 1 : 0;
  while (position < text.length) {
    const startsAt = line;
    /** @type {string[]} */
    const fields = [];
    for (;;) {
      field.lastIndex = position;
      const match = /** @type {RegExpExecArray} */ (field.exec(text));
      const [whole, quoted, plain = ''] = match;
      if (quoted === undefined && plain.startsWith('"'))
        throw new Error(`line ${line}: a quote is never closed`);
      fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
      line += whole.split('\n').length - 1;
      position = field.lastIndex;
      if (text[position] !== ',') break;
      position += 1;
    }
    const lineEnd = /\r?\n|\r|$/y;
    lineEnd.lastIndex = position;
    if (!lineEnd.test(text)) throw new Error(`line ${line}: text after the closing quote of a field`);
    position = lineEnd.lastIndex;
    line += 1;
    if (fields.length > 1 || fields[0] !== '') records.push({ line: startsAt, fields });
  }
  return records;
}
