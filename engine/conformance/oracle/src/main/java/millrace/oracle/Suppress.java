package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.time.Duration;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;

/** Suppressed tables: the twin of `topologies/suppress.ts`. */
final class Suppress {
  /** Retention of windows that no test outlives. */
  private static final Duration AMPLE = Duration.ofSeconds(100);

  private Suppress() {}

  static void addTo(final Topologies all) {
    all.add("tumbling-suppress-final", (builder, params) -> builder.stream("in", in()).groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(params.ms("size"), params.ms("grace")))
        .aggregate(() -> "", (k, v, a) -> a + v, windows("win", STRING, params))
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()).withName("final")).toStream().to("out"));

    all.add("session-suppress-final", (builder, params) -> builder.stream("in", in()).groupByKey()
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(params.ms("gap"), params.ms("grace")))
        .aggregate(() -> "", (k, v, a) -> a + v, (k, a, b) -> "(" + a + "&" + b + ")", sessions("ses", STRING, params))
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()).withName("final")).toStream().to("out"));

    all.add("sliding-suppress-final", (builder, params) -> builder.stream("in", in()).groupByKey()
        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(params.ms("diff"), params.ms("grace")))
        .aggregate(() -> "", (k, v, a) -> a + v, Dsl.<String>windows("win", STRING, params).withRetention(AMPLE))
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()).withName("final")).toStream().to("out"));

    all.add("cogroup-suppress-final", (builder, params) -> {
      final KGroupedStream<String, String> left = builder.stream("left", in()).groupByKey();
      final KGroupedStream<String, String> right = builder.stream("right", in()).groupByKey();
      left.<String>cogroup((k, v, a) -> a + v).cogroup(right, (k, v, a) -> a + "~" + v)
          .windowedBy(TimeWindows.ofSizeAndGrace(params.ms("size"), params.ms("grace")))
          .aggregate(() -> "", Dsl.<String>windows("win", STRING, params).withRetention(AMPLE))
          .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())).toStream().to("out");
    });

    all.add("suppress-time-limit", (builder, params) -> builder.table("in", in(), kept("src"))
        .suppress(Suppressed.<String>untilTimeLimit(params.ms("limit"), BufferConfig.maxRecords(params.get("maxRecords")).emitEarlyWhenFull()).withName("rate"))
        .toStream().to("out", out()));

    all.add("suppress-max-bytes", (builder, params) -> builder.table("in", in(), kept("src"))
        .suppress(limited(params, BufferConfig.maxBytes(params.get("maxBytes")))).toStream().to("out", out()));

    all.add("hopping-filter-suppress-final", (builder, params) -> builder.stream("in", in()).groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(params.ms("size"), params.ms("grace")).advanceBy(params.ms("advance")))
        .aggregate(() -> "", (k, v, a) -> a + v, Dsl.<String>windows("win", STRING, params).withRetention(AMPLE))
        .filter((k, v) -> v.length() % 2 == 0)
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())).toStream().to("out"));

    all.add("suppress-stream-table-join", (builder, params) -> {
      final KTable<String, String> table = builder.table("right", in(), kept("rt"))
          .suppress(limited(params, BufferConfig.maxRecords(params.get("maxRecords"))));
      builder.stream("left", in()).leftJoin(table, Dsl::joined, Joined.with(STRING, STRING, STRING)).to("out", out());
    });

    all.add("suppress-regrouped", (builder, params) -> builder.table("in", in(), kept("src"))
        .suppress(limited(params, BufferConfig.maxRecords(params.get("maxRecords"))))
        .groupBy((k, v) -> KeyValue.pair(first(v), k + v), Grouped.with("byfirst", STRING, STRING))
        .aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, v, a) -> a + "-" + v, kept("agg")).toStream().to("out", out()));

    all.add("suppress-fanned", (builder, params) -> Cached.fanned(builder, "in").groupByKey()
        .reduce((a, v) -> a.length() > 12 ? null : a + v, kept("r"))
        .suppress(limited(params, BufferConfig.maxRecords(params.get("maxRecords")))).toStream()
        .processValues(Cached.Origin::new).to("out", out()));

    all.add("suppress-fanned-final", (builder, params) -> Cached.hoppingTexts(builder, "in", "w", params)
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()).withName("final")).toStream().to("out"));

    all.add("suppress-twice-filter", (builder, params) -> builder.table("in", in(), kept("src"))
        .suppress(limited(params, BufferConfig.unbounded().withLoggingDisabled()))
        .suppress(limited(params, BufferConfig.maxRecords(params.get("maxRecords"))))
        .filter((k, v) -> !v.startsWith("x"), kept("filtered")).toStream().to("out", out()));
  }

  private static Suppressed<String> limited(final Params params, final BufferConfig<?> buffer) {
    return Suppressed.untilTimeLimit(params.ms("limit"), buffer);
  }
}
