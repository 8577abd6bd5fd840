package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.UnlimitedWindows;

/** Sliding and unlimited windows: the twin of `topologies/sliding.ts`. */
final class Sliding {
  private Sliding() {}

  static TimeWindowedKStream<String, String> windowed(final StreamsBuilder builder, final Params params) {
    return builder.stream("in", in()).groupByKey()
        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(params.ms("diff"), params.ms("grace")));
  }

  static void addTo(final Topologies all) {
    all.add("sliding-aggregate", (builder, params) -> windowed(builder, params)
        .aggregate(() -> "", (k, v, a) -> a + v, windows("win", STRING, params)).toStream().to("out"));

    all.add("sliding-reduce", (builder, params) -> windowed(builder, params)
        .reduce((a, v) -> v.startsWith("x") ? null : a + "+" + v, windows("win", STRING, params)).toStream().to("out"));

    all.add("sliding-count", (builder, params) -> windowed(builder, params)
        .count(windows("win", LONG, params)).toStream().to("out"));

    all.add("sliding-regrouped", (builder, params) -> windowed(builder, params)
        .aggregate(() -> "", (k, v, a) -> a + v, windows("win", STRING, params))
        .groupBy((window, v) -> KeyValue.pair(window.key(), v), grouped().withName("bykey"))
        .aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, v, a) -> a + "-" + v, kept("agg")).toStream().to("out"));

    all.add("unlimited-aggregate", (builder, params) -> builder.stream("in", in()).groupByKey()
        .windowedBy(UnlimitedWindows.of().startOn(java.time.Instant.ofEpochMilli(params.get("start"))))
        .aggregate(() -> "", (k, v, a) -> a + v, windows("win", STRING, params))
        .toStream((window, v) -> window.key() + "@" + window.window().start()).to("out", Produced.with(STRING, STRING)));
  }
}
