package millrace.oracle;

import org.apache.kafka.streams.Topology;

/** Builds a program that is given as data: the twin of `compositions/interpret.ts`. */
final class Composition {
  private Composition() {}

  static Topology build(final Params params) {
    throw new UnsupportedOperationException("no compositions yet");
  }
}
