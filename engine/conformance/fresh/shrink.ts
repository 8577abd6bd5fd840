/** Tries after which shrinking stops: each asks both engines. */
const TRIES_MAX = 150;

/**
 * Drops elements as long as the rest still fails: halves first, then ever smaller parts, single elements last.
 */
export async function shrink<T>(
  elements: readonly T[],
  fails: (rest: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let rest = elements;
  let tries = 0;
  for (let size = Math.ceil(rest.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    let from = 0;
    while (from < rest.length) {
      if (++tries > TRIES_MAX) return rest;
      const without = [...rest.slice(0, from), ...rest.slice(from + size)];
      if (without.length > 0 && (await fails(without))) rest = without;
      else from += size;
    }
  }
  return rest;
}
