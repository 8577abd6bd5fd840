/** Java's `HashMap` starts with 16 buckets and doubles when it is more than three quarters full. */
const INITIAL_BUCKETS = 16;
const LOAD_FACTOR = 0.75;

/**
 * The order in which a Java `HashSet<String>` with these elements, added in this order, is iterated. `Topology.describe()` of
 * Kafka Streams lets this order through, so texts that shall be equal to Java's need it.
 */
export function javaHashOrder(names: Iterable<string>): string[] {
  const unique = [...new Set(names)];
  let buckets = INITIAL_BUCKETS;
  while (unique.length > buckets * LOAD_FACTOR) buckets *= 2;
  return unique
    .map((name, index) => ({ name, index, bucket: spread(hashCode(name)) & (buckets - 1) }))
    .sort((a, b) => a.bucket - b.bucket || a.index - b.index)
    .map((entry) => entry.name);
}

/** `String.hashCode` */
function hashCode(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

function spread(hash: number): number {
  return hash ^ (hash >>> 16);
}
