/** Kafka's `log.dirs` is a list: no escape keeps a comma in one folder's name. */
const LIST_SEPARATOR = ',';

/**
 * The text of a Java `.properties` file. Java reads it as Latin-1 and takes backslashes, and signs at the start of a value, for
 * something else (java.util.Properties, "load"), so whatever is not plain is escaped: a path is read as it was written.
 */
export function javaProperties(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${escaped(key, /[ :=#!]/g)}=${escaped(`${value}`, /^ /)}\n`)
    .join('');
}

/** UTF-16 units as Java has them; a sign of the rule gets a backslash in front. */
function escaped(text: string, signs: RegExp): string {
  return text
    .replaceAll('\\', '\\\\')
    .replace(signs, '\\$&')
    .replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Throws for a folder that can't stand in a list of folders. */
export function checkListable(folder: string): void {
  if (!folder.includes(LIST_SEPARATOR)) return;
  throw new Error(
    `The folder "${folder}" has a comma in its name, which Kafka takes for the end of a path. Use a folder without one: move the ` +
      'checkout, or give another one with LOCAL_DIR=/some/folder',
  );
}
