package millrace.oracle;

/** Programs built with optimisation: the twin of `topologies/optimised.ts`. */
final class Optimised {
  private Optimised() {}

  static void addTo(final Topologies all) {}
}
