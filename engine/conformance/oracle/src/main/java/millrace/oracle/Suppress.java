package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;

/** Suppressed tables: the twin of `topologies/suppress.ts`. */
final class Suppress {
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

    all.add("suppress-time-limit", (builder, params) -> builder.table("in", in(), kept("src"))
        .suppress(Suppressed.<String>untilTimeLimit(params.ms("limit"), BufferConfig.maxRecords(params.get("maxRecords")).emitEarlyWhenFull()).withName("rate"))
        .toStream().to("out", out()));
  }
}
