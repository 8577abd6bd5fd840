/** What a column of a COPY row may hold; objects and arrays go through {@link jsonText} or {@link arrayText} first. */
export type CopyValue = string | number | boolean | null;

const SPECIAL = /[\\\n\r\t]/;
const SPECIALS = /[\\\n\r\t]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line of PostgreSQL's COPY text format, newline included. */
export function copyLine(values: readonly CopyValue[]): string {
  let line = '';
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as CopyValue;
    if (index > 0) line += '\t';
    if (value === null) line += '\\N';
    else if (typeof value === 'string')
      line += SPECIAL.test(value) ? value.replace(SPECIALS, (c) => ESCAPES[c] as string) : value;
    else line += String(value);
  }
  return `${line}\n`;
}

/** A literal of a text array. */
export function arrayText(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** A timestamptz literal of epoch milliseconds; null stays null. Throws RangeError beyond the year 275760. */
export function timeText(epochMs: number): string;
export function timeText(epochMs: number | null): string | null;
export function timeText(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}

/** JSON for a jsonb column. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value);
}
