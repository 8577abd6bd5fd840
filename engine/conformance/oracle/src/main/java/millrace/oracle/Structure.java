package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** Stateless operators and structure: the twin of `topologies/structure.ts`. */
final class Structure {
  private Structure() {}

  static void addTo(final Topologies all) {
    all.add("branch-merge", (builder, params) -> {
      final KStream<String, String> left = builder.stream("left", in());
      final Map<String, KStream<String, String>> branches = left.merge(builder.stream("right", in())).split(Named.as("br-"))
          .branch((k, v) -> v == null, Branched.as("null"))
          .branch((k, v) -> v.startsWith("a"), Branched.as("a"))
          .branch((k, v) -> v.startsWith("b"), Branched.<String, String>withFunction(branch -> branch.mapValues(v -> v.toUpperCase()), "b"))
          .defaultBranch(Branched.as("rest"));
      branches.get("br-null").to("out-null");
      branches.get("br-a").flatMap((k, v) -> List.of(new KeyValue<>(k, v), new KeyValue<>(v, k == null ? "nil" : k))).to("out-a", out());
      branches.get("br-b").to("out-b", out());
      branches.get("br-rest").selectKey((k, v) -> v).to("out-rest", out());
    });

    all.add("null-keys-repartitioned", (builder, params) -> {
      final KTable<String, String> table = builder.table("right", in(), kept("rt"));
      final GlobalKTable<String, String> global = builder.globalTable("third", in(), kept("gt"));
      final KStream<String, String> keyed = builder.stream("left", in()).selectKey((k, v) -> v == null ? null : first(v));
      keyed.leftJoin(table, Dsl::joined, Joined.with(STRING, STRING, STRING, "outer")).to("out-left", out());
      keyed.join(table, Dsl::joined, Joined.with(STRING, STRING, STRING, "inner")).to("out-inner", out());
      keyed.repartition(Repartitioned.<String, String>as("again").withKeySerde(STRING).withValueSerde(STRING))
          .leftJoin(global, (k, v) -> k, Dsl::joined).to("out-global", out());
      keyed.toTable(Named.as("kept"), kept("tt")).toStream().to("out-table");
    });

    all.add("process-values", (builder, params) -> builder.stream("left", in()).processValues(Doubling::new, Named.as("doubling"))
        .groupByKey(grouped()).reduce((a, b) -> a + b).toStream().to("out", out()));

    all.add("rekey-totable-join", (builder, params) -> {
      final KTable<String, String> table = builder.stream("right", in()).selectKey((k, v) -> v == null ? k : first(v))
          .repartition(Repartitioned.<String, String>as("rk").withKeySerde(STRING).withValueSerde(STRING)).toTable(kept("tt"));
      builder.stream("left", in()).leftJoin(table, Dsl::joined).to("out", out());
    });
  }

  /** Forwards each record twice: under new values, with a header. */
  private static final class Doubling extends ContextualFixedKeyProcessor<String, String, String> {
    @Override
    public void process(final FixedKeyRecord<String, String> record) {
      record.headers().add("by", "doubling".getBytes());
      context().forward(record.withValue(record.value() + "."));
      context().forward(record.withValue(record.value() + ";").withTimestamp(record.timestamp() + 3));
    }
  }
}
