package millrace.oracle;

/** Programs with record caches: the twin of `topologies/cached.ts`. */
final class Cached {
  private Cached() {}

  static void addTo(final Topologies all) {}
}
