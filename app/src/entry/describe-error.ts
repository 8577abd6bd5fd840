/** An error with its causes, one a line, for a terminal. */
export function describeError(error: unknown): string {
  const lines: string[] = [];
  for (let at: unknown = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    lines.push(at instanceof Error ? at.message : String(at));
  }
  return `error: ${lines.join('\n  because: ')}`;
}
