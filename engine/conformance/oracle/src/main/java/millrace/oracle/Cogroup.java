package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;

/** Cogrouped streams: the twin of `topologies/cogroup.ts`. */
final class Cogroup {
  private Cogroup() {}

  private static String firstOr(final String key, final String value) {
    return value == null ? key : first(value);
  }

  static CogroupedKStream<String, String> bothSides(final StreamsBuilder builder) {
    final KGroupedStream<String, String> left = builder.stream("left", in()).groupByKey();
    final KGroupedStream<String, String> right = builder.stream("right", in()).groupByKey();
    return left.<String>cogroup((k, v, a) -> "x".equals(v) ? null : a + v).cogroup(right, (k, v, a) -> a + "(" + v + ")");
  }

  static void addTo(final Topologies all) {
    all.add("cogroup-two", (builder, params) -> bothSides(builder).aggregate(() -> "", kept("co")).toStream().to("out"));

    all.add("cogroup-rekeyed", (builder, params) -> {
      final KGroupedStream<String, String> left = builder.stream("left", in()).selectKey(Cogroup::firstOr).groupByKey(grouped());
      final KGroupedStream<String, String> right = builder.stream("right", in()).groupBy(Cogroup::firstOr, grouped().withName("rights"));
      final KGroupedStream<String, String> plain = builder.stream("third", in()).groupByKey();
      final CogroupedKStream<String, String> cogrouped = left.<String>cogroup((k, v, a) -> a + v)
          .cogroup(right, (k, v, a) -> a + "(" + v + ")").cogroup(plain, (k, v, a) -> a + "[" + v + "]");
      cogrouped.aggregate(() -> "", kept("co")).toStream().to("out", out());
      cogrouped.aggregate(() -> "", Named.as("named"), Materialized.with(STRING, STRING)).toStream().to("out-unnamed", out());
    });

    all.add("cogroup-table-joined", (builder, params) -> {
      final KTable<String, String> table = bothSides(builder).aggregate(() -> "", kept("co"));
      builder.stream("third", in()).leftJoin(table, (l, r) -> joined(l, r)).to("out", out());
      table.filter((k, v) -> !v.startsWith("a"))
          .groupBy((k, v) -> new KeyValue<>(v.isEmpty() ? "" : first(v), k + v), grouped().withName("by"))
          .aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, v, a) -> a + "-" + v, kept("agg")).toStream().to("out-grouped");
    });

    all.add("cogroup-windowed", (builder, params) -> bothSides(builder)
        .windowedBy(TimeWindows.ofSizeAndGrace(params.ms("size"), params.ms("grace")).advanceBy(params.ms("advance")))
        .aggregate(() -> "", windows("win", STRING, params)).toStream().to("out"));

    all.add("cogroup-sliding", (builder, params) -> bothSides(builder)
        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(params.ms("diff"), params.ms("grace")))
        .aggregate(() -> "", windows("win", STRING, params)).toStream().to("out"));

    all.add("cogroup-sessions", (builder, params) -> bothSides(builder)
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(params.ms("gap"), params.ms("grace")))
        .aggregate(() -> "", (k, a, b) -> "(" + a + "&" + b + ")", sessions("win", STRING, params)).toStream().to("out"));
  }
}
