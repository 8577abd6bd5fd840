package millrace.oracle;

/** Cogrouped streams: the twin of `topologies/cogroup.ts`. */
final class Cogroup {
  private Cogroup() {}

  static void addTo(final Topologies all) {}
}
