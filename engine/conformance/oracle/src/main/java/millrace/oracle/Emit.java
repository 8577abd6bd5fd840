package millrace.oracle;

/** Emission on window close: the twin of `topologies/emit.ts`. */
final class Emit {
  private Emit() {}

  static void addTo(final Topologies all) {}
}
