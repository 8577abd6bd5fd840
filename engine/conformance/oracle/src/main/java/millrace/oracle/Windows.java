package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;

/** Tumbling and hopping windows: the twin of `topologies/windows.ts`. */
final class Windows {
  private Windows() {}

  /** Hopping where there is a parameter `advance`. */
  static TimeWindowedKStream<String, String> windowed(final StreamsBuilder builder, final Params params) {
    final TimeWindows windows = TimeWindows.ofSizeAndGrace(params.ms("size"), params.ms("grace"));
    return builder.stream("in", in()).groupByKey()
        .windowedBy(params.is("advance") ? windows.advanceBy(params.ms("advance")) : windows);
  }

  static void addTo(final Topologies all) {
    all.add("tumbling-count", (builder, params) -> windowed(builder, params)
        .count(windows("win", LONG, params)).toStream().to("out"));

    all.add("hopping-aggregate", (builder, params) -> windowed(builder, params)
        .aggregate(() -> "", (k, v, a) -> a + v, windows("win", STRING, params)).toStream().to("out"));

    all.add("hopping-reduce", (builder, params) -> windowed(builder, params)
        .reduce((a, v) -> a + "+" + v, windows("win", STRING, params)).toStream().to("out"));

    all.add("hopping-regrouped", (builder, params) -> windowed(builder, params)
        .aggregate(() -> "", (k, v, a) -> "x".equals(v) ? null : a + v, windows("win", STRING, params))
        .groupBy((window, v) -> KeyValue.pair(window.key(), v), grouped().withName("bykey"))
        .aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, v, a) -> a + "-" + v, kept("agg")).toStream().to("out"));
  }
}
