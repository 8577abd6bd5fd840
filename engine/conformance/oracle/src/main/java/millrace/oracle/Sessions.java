package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.Windowed;

/** Session windows: the twin of `topologies/sessions.ts`. */
final class Sessions {
  private Sessions() {}

  static SessionWindowedKStream<String, String> windowed(final StreamsBuilder builder, final Params params) {
    return builder.stream("in", in()).groupByKey()
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(params.ms("gap"), params.ms("grace")));
  }

  private static KTable<Windowed<String>, String> aggregated(final StreamsBuilder builder, final Params params) {
    return windowed(builder, params)
        .aggregate(() -> "", (k, v, a) -> a + v, (k, a, b) -> "(" + a + "&" + b + ")", sessions("ses", STRING, params));
  }

  static void addTo(final Topologies all) {
    all.add("session-aggregate", (builder, params) -> aggregated(builder, params).toStream().to("out"));

    all.add("session-count", (builder, params) -> windowed(builder, params).count(sessions("ses", LONG, params)).toStream().to("out"));

    all.add("session-reduce", (builder, params) -> windowed(builder, params)
        .reduce((a, v) -> a + "+" + v, sessions("ses", STRING, params)).toStream().to("out"));

    all.add("session-to-null", (builder, params) -> windowed(builder, params)
        .aggregate(() -> "", (k, v, a) -> "x".equals(v) ? null : a + v, (k, a, b) -> a + "&" + b, sessions("ses", STRING, params))
        .toStream().to("out"));

    all.add("session-regrouped", (builder, params) -> aggregated(builder, params)
        .groupBy((window, v) -> KeyValue.pair(window.key(), v), grouped().withName("bykey"))
        .aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, v, a) -> a + "-" + v, kept("agg")).toStream().to("out"));

    all.add("session-table-join", (builder, params) -> {
      final KTable<Windowed<String>, String> table = aggregated(builder, params);
      table.join(table.filter((k, v) -> v.length() > 3), Dsl::joined).toStream().to("out");
    });
  }
}
