package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.kstream.TimeWindows;

/** Tumbling and hopping windows: the twin of `topologies/windows.ts`. */
final class Windows {
  private Windows() {}

  static void addTo(final Topologies all) {
    all.add("tumbling-count", (builder, params) -> builder.stream("in", in()).groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(params.ms("size"), params.ms("grace")))
        .count(windows("win", LONG, params)).toStream().to("out"));

    all.add("hopping-aggregate", (builder, params) -> builder.stream("in", in()).groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(params.ms("size"), params.ms("grace")).advanceBy(params.ms("advance")))
        .aggregate(() -> "", (k, v, a) -> a + v, windows("win", STRING, params)).toStream().to("out"));
  }
}
