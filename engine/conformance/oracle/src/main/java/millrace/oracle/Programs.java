package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.WindowStore;

/** Programs that chain operators: the twin of `topologies/programs.ts`. */
final class Programs {
  private Programs() {}

  static void addTo(final Topologies all) {
    all.addProgram("count-regrouped", b -> b.stream("in", in()).groupByKey().count(counted("c"))
        .groupBy((k, n) -> new KeyValue<>("n" + n % 3, k), grouped()).count(counted("d"))
        .toStream().mapValues(String::valueOf).to("out", out()));
    all.addProgram("aggregate-regrouped", b -> b.stream("in", in()).groupByKey()
        .aggregate(() -> "-", (k, v, a) -> v.startsWith("a") ? null : a + v, kept("a"))
        .groupBy((k, v) -> new KeyValue<>("all", k + v), grouped())
        .reduce((a, v) -> a + "+" + v, (a, v) -> a + "~" + v, kept("r")).toStream().to("out", out()));
    all.addProgram("reduce-to-null", b -> b.stream("in", in()).groupByKey()
        .reduce((a, v) -> v.startsWith("b") ? null : a + v, kept("r")).toStream().to("out", out()));
    all.addProgram("table-regrouped-reduce", b -> b.table("in", in()).groupBy((k, v) -> new KeyValue<>(first(v), v), grouped())
        .reduce((a, v) -> a + "+" + v, (a, v) -> a.length() > 40 ? null : a + "-" + v, kept("r")).toStream().to("out", out()));
    all.addProgram("table-regrouped-count", b -> b.table("in", in())
        .filter((k, v) -> !v.startsWith("c")).groupBy((k, v) -> new KeyValue<>(first(v), v), grouped())
        .count(counted("c")).toStream().mapValues(String::valueOf).to("out", out()));
    all.addProgram("table-bare-filter", b -> b.table("in", in()).filter((k, v) -> !v.startsWith("a"))
        .filterNot((k, v) -> v.startsWith("b")).mapValues(v -> v + "!").toStream().to("out", out()));
    all.addProgram("table-kept-chain", b -> b.table("in", in()).filter((k, v) -> !v.startsWith("a"))
        .mapValues(v -> v + "!", kept("m")).filter((k, v) -> !v.startsWith("b"), kept("f"))
        .mapValues((k, v) -> k + v).toStream().to("out", out()));
    all.addProgram("derived-table-join", b -> {
      final KTable<String, String> table = b.table("in2", in()).filter((k, v) -> !v.startsWith("a")).mapValues((k, v) -> k + v);
      b.stream("in", in()).leftJoin(table, (l, r) -> l + "|" + r).to("out", out());
    });
    all.addProgram("aggregate-join", b -> {
      final KTable<String, Long> table = b.stream("in2", in()).groupByKey().count();
      b.stream("in", in()).join(table, (k, l, r) -> k + l + r).to("out", out());
    });
    all.addProgram("bare-totable-join", b -> {
      final KTable<String, String> table = b.stream("in2", in()).selectKey((k, v) -> v == null ? k : v.substring(0, 1))
          .toTable(Materialized.with(Serdes.String(), Serdes.String()));
      b.stream("in", in()).selectKey((k, v) -> v == null ? k : v.substring(0, 1))
          .join(table, (l, r) -> l + "|" + r, Joined.with(Serdes.String(), Serdes.String(), Serdes.String())).to("out", out());
    });
    all.addProgram("global-inner-join", b -> {
      final GlobalKTable<String, String> table = b.globalTable("in2", in(), kept("g"));
      b.stream("in", in()).join(table, (k, v) -> k, (k, l, r) -> k + l + "|" + r).to("out", out());
    });
    all.addProgram("window-reduce", b -> b.stream("in", in()).groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(10), Duration.ofMillis(4)))
        .reduce((a, v) -> a + v, Materialized.<String, String, WindowStore<Bytes, byte[]>>as("w"))
        .toStream((w, v) -> w.key() + "@" + w.window().start() + "-" + w.window().end()).to("out", out()));
    all.addProgram("window-regrouped", b -> b.stream("in", in())
        .groupBy((k, v) -> v == null ? null : first(v), grouped())
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(12), Duration.ofMillis(3)).advanceBy(Duration.ofMillis(5)))
        .aggregate(() -> "", (k, v, a) -> v.startsWith("c") ? null : a + v, Materialized.<String, String, WindowStore<Bytes, byte[]>>as("w").withValueSerde(Serdes.String()))
        .groupBy((w, v) -> new KeyValue<>(w.key(), v), grouped()).count(counted("c"))
        .toStream().mapValues(String::valueOf).to("out", out()));
  }
}
