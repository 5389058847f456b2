/** Numbers in texts: plain decimal digits. `Number` also reads "0x10", "1e1", " 5", "+5" and an empty text. */

/** A whole number that is written in digits only; null for anything else, and for one that would be rounded. */
export function wholeNumber(text: string): number | null {
  if (!/^\d{1,16}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/** A number that is written in digits, and maybe a point with more of them; null for anything else. */
export function decimalNumber(text: string): number | null {
  return /^\d{1,16}(?:\.\d{1,16})?$/.test(text) ? Number(text) : null;
}
