package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Repartitioned;

/** Programs that the optimiser changes (parameter `optimise`): the twin of `topologies/optimised.ts`. */
final class Optimised {
  private Optimised() {}

  private static String firstOr(final String key, final String value) {
    return value == null ? key : first(value);
  }

  static void addTo(final Topologies all) {
    all.add("optimised-source-table", (builder, params) -> {
      final KTable<String, String> table = builder.table("right", in(), kept("rt"));
      final KTable<String, String> unnamed = builder.table("third", in());
      builder.stream("left", in()).leftJoin(table, (l, r) -> joined(l, r)).leftJoin(unnamed, (l, r) -> joined(l, r)).to("out", out());
      table.mapValues(v -> v + "!").toStream().to("out-table", out());
    });

    all.add("optimised-repartitions", (builder, params) -> {
      final KStream<String, String> keyed = builder.stream("left", in()).selectKey(Optimised::firstOr);
      keyed.filter((k, v) -> !"ab".equals(v)).groupByKey(grouped()).count(counted("counts")).toStream().mapValues(v -> String.valueOf(v)).to("out-count", out());
      keyed.groupByKey(grouped().withName("grouped")).reduce((a, b) -> a + "+" + b, kept("reduced")).toStream().to("out-reduced", out());
      final KTable<String, String> table = builder.table("right", in(), kept("rt"));
      keyed.peek((k, v) -> {}).leftJoin(table, (l, r) -> joined(l, r), Joined.with(STRING, STRING, STRING)).to("out-joined", out());
      keyed.mapValues(v -> v + "?").groupByKey(grouped()).reduce((a, b) -> a + "-" + b, kept("kept")).toStream().to("out-kept", out());
    });

    all.add("optimised-merge", (builder, params) -> {
      final KStream<String, String> left = builder.stream("left", in()).selectKey(Optimised::firstOr);
      final KStream<String, String> right = builder.stream("right", in()).selectKey((k, v) -> v == null ? k : v);
      final KStream<String, String> merged = left.merge(right);
      merged.filter((k, v) -> !"ba".equals(v)).groupByKey(grouped()).count(counted("counts")).toStream().mapValues(v -> String.valueOf(v)).to("out-count", out());
      merged.groupByKey(grouped()).reduce((a, b) -> a + "+" + b).toStream().to("out-reduced", out());
    });

    all.add("optimised-explicit", (builder, params) -> {
      final KStream<String, String> keyed = builder.stream("left", in()).selectKey(Optimised::firstOr);
      keyed.repartition(Repartitioned.<String, String>as("mine").withKeySerde(STRING).withValueSerde(STRING)).groupByKey()
          .reduce((a, b) -> a + "+" + b, kept("one")).toStream().to("out-one", out());
      keyed.toTable(kept("tt")).toStream().to("out-table", out());
      keyed.groupByKey(grouped()).reduce((a, b) -> a + "-" + b, kept("two")).toStream().to("out-two", out());
    });
  }
}
