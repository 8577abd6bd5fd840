package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.kstream.SlidingWindows;

/** Sliding windows: the twin of `topologies/sliding.ts`. */
final class Sliding {
  private Sliding() {}

  static void addTo(final Topologies all) {
    all.add("sliding-aggregate", (builder, params) -> builder.stream("in", in()).groupByKey()
        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(params.ms("diff"), params.ms("grace")))
        .aggregate(() -> "", (k, v, a) -> a + v, windows("win", STRING, params)).toStream().to("out"));
  }
}
