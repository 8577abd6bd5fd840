package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Predicate;

/** Aggregations of streams and tables: the twin of `topologies/aggregations.ts`. */
final class Aggregations {
  private Aggregations() {}

  static void addTo(final Topologies all) {
    all.add("kv-count", (builder, params) -> builder.stream("in", in()).groupByKey().count(counted("counts")).toStream().to("out"));

    all.add("kv-reduce-regroup", (builder, params) -> builder.stream("in", in())
        .groupBy((k, v) -> v == null ? null : first(v), grouped().withName("byfirst"))
        .reduce((a, v) -> a + "+" + v, kept("reduced")).toStream().to("out"));

    all.add("kv-aggregate-concat", (builder, params) -> builder.stream("in", in()).groupByKey()
        .aggregate(() -> "", (k, v, a) -> v.equals("x") ? null : a + v, kept("agg")).toStream().to("out"));

    all.add("table-groupby-aggregate", (builder, params) -> builder.table("in", in(), kept("src"))
        .groupBy((k, v) -> new KeyValue<>(first(v), k + v), grouped().withName("byfirst"))
        .aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, v, a) -> a + "-" + v, kept("agg")).toStream().to("out"));

    all.add("table-groupby-null-aggregate", (builder, params) -> builder.table("in", in(), kept("src"))
        .groupBy((k, v) -> new KeyValue<>(v.startsWith("c") ? null : first(v), k + v), grouped().withName("byfirst"))
        .aggregate(() -> "0", (k, v, a) -> a.length() > 24 ? null : a + "+" + v, (k, v, a) -> v.startsWith("B") ? null : a + "-" + v, kept("agg"))
        .filter((k, v) -> !v.endsWith("1"))
        .groupBy((k, v) -> new KeyValue<>(String.valueOf(v.length() % 3), k + v), grouped().withName("bylength"))
        .reduce((a, v) -> a.length() > 60 ? null : a + "&" + v, (a, v) -> v.startsWith("x") ? null : a + "~" + v, kept("red"))
        .toStream().to("out"));

    all.add("table-filter-mapvalues", (builder, params) -> {
      final KTable<String, String> table = builder.table("in", in(), kept("src"));
      final Predicate<String, String> wanted = (k, v) -> !v.startsWith("x");
      (params.is("materializeFilter") ? table.filter(wanted, kept("filtered")) : table.filter(wanted))
          .mapValues(v -> v + "!").toStream().to("out", out());
    });
  }
}
