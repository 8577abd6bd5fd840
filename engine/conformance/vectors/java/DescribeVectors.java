import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.api.*;
import org.apache.kafka.streams.state.*;

/**
 * Writes what Kafka Streams 4.3.1 says of the programs in `test/topology/describe-programs.ts`: one text a program. To run again:
 * javac -cp 'libs/*' DescribeVectors.java && java -cp 'libs/*:.' DescribeVectors ../describe-programs
 */
public class DescribeVectors {
  static Consumed<String, String> in() {
    return Consumed.with(Serdes.String(), Serdes.String());
  }

  static Produced<String, String> out() {
    return Produced.with(Serdes.String(), Serdes.String());
  }

  static Grouped<String, String> grouped() {
    return Grouped.with(Serdes.String(), Serdes.String());
  }

  static <S extends org.apache.kafka.streams.processor.StateStore> Materialized<String, String, S> strings() {
    return Materialized.with(Serdes.String(), Serdes.String());
  }

  static class Pass extends ContextualProcessor<String, String, String, String> {
    public void process(final org.apache.kafka.streams.processor.api.Record<String, String> record) {}
  }

  static class PassValues extends ContextualFixedKeyProcessor<String, String, String> {
    public void process(final FixedKeyRecord<String, String> record) {}
  }

  public static void main(final String[] args) throws Exception {
    final Map<String, Consumer<StreamsBuilder>> programs = new LinkedHashMap<>();

    programs.put("table-chain", b -> {
      b.table("t", in()).filter((k, v) -> true).filterNot((k, v) -> true, strings()).mapValues(v -> v, strings())
          .mapValues(v -> v).toStream().to("out", out());
    });
    programs.put("table-named", b -> {
      b.table("t", in().withName("tab"), Materialized.<String, String, KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>>as("st").withKeySerde(Serdes.String()).withValueSerde(Serdes.String()))
          .filter((k, v) -> true, Named.as("flt")).mapValues(v -> v, Named.as("mv")).toStream(Named.as("ts")).to("out", out().withName("snk"));
    });
    programs.put("rekeyed-joins", b -> {
      final KTable<String, String> table = b.table("t", in());
      final KStream<String, String> stream = b.stream("in", in()).selectKey((k, v) -> v);
      stream.join(table, (l, r) -> l, Joined.with(Serdes.String(), Serdes.String(), Serdes.String())).to("o1", out());
      stream.leftJoin(table, (l, r) -> l, Joined.with(Serdes.String(), Serdes.String(), Serdes.String())).to("o2", out());
      stream.join(table, (l, r) -> l, Joined.with(Serdes.String(), Serdes.String(), Serdes.String(), "named")).to("o3", out());
    });
    programs.put("rekeyed-totable", b -> {
      final KStream<String, String> stream = b.stream("in", in()).map((k, v) -> new KeyValue<>(v, k));
      stream.toTable(strings()).toStream().to("o1", out());
      stream.toTable(Named.as("tt"), strings()).toStream().to("o2", out());
      stream.toTable(Named.as("uu"), Materialized.<String, String, KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>>as("us").withKeySerde(Serdes.String()).withValueSerde(Serdes.String())).toStream().to("o3", out());
    });
    programs.put("named-group", b -> {
      final KGroupedStream<String, String> group = b.stream("in", in()).groupBy((k, v) -> v, grouped().withName("grp"));
      group.count().toStream().to("o1", Produced.with(Serdes.String(), Serdes.Long()));
      group.reduce((x, y) -> y).toStream().to("o2", out());
      group.windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(10), Duration.ofMillis(5))).count();
      group.aggregate(() -> "", (k, v, a) -> a, Named.as("agg"), strings());
    });
    programs.put("unnamed-groups", b -> {
      final KGroupedStream<String, String> group = b.stream("in", in()).groupBy((k, v) -> v, grouped());
      group.count();
      group.reduce((x, y) -> y);
      group.windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(10)).advanceBy(Duration.ofMillis(3))).reduce((x, y) -> y);
      group.windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(10))).aggregate(() -> "", (k, v, a) -> a, strings()).toStream();
    });
    programs.put("grouped-tables", b -> {
      final KTable<String, String> table = b.table("t", in());
      final KGroupedTable<String, String> unnamed = table.groupBy(KeyValue::new, grouped());
      unnamed.count();
      unnamed.reduce((x, y) -> y, (x, y) -> y);
      unnamed.aggregate(() -> "", (k, v, a) -> a, (k, v, a) -> a, strings());
      final KGroupedTable<String, String> named = table.groupBy(KeyValue::new, grouped().withName("gt"));
      named.count(Named.as("cnt"), Materialized.<String, Long, KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>>as("cst").withKeySerde(Serdes.String())).toStream().to("o", Produced.with(Serdes.String(), Serdes.Long()));
    });
    programs.put("aggregate-regrouped", b -> {
      b.stream("in", in()).groupByKey().count().filter((k, v) -> v > 1)
          .groupBy((k, v) -> new KeyValue<>(v, k), Grouped.with(Serdes.Long(), Serdes.String())).count()
          .toStream().to("out", Produced.with(Serdes.Long(), Serdes.Long()));
    });
    programs.put("processors", b -> {
      b.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("s2"), Serdes.String(), Serdes.String()));
      b.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("s1"), Serdes.String(), Serdes.String()));
      final KStream<String, String> stream = b.stream("in", in());
      stream.process(Pass::new, "s1").to("o1", out());
      stream.process(Pass::new, Named.as("prc"), "s1", "s2").to("o2", out());
      stream.processValues(PassValues::new, Named.as("prv"), "s2").to("o3", out());
      stream.processValues(PassValues::new).groupByKey(grouped()).count();
      stream.process(Pass::new).groupByKey(grouped()).count();
    });
    programs.put("merge-and-split", b -> {
      final KStream<String, String> left = b.stream(List.of("l2", "l1", "zz", "some-topic"), in());
      final KStream<String, String> right = b.stream("r", in().withName("right"));
      final KStream<String, String> again = b.stream("r", in());
      final KStream<String, String> merged = left.merge(right).merge(again, Named.as("m2"));
      final Map<String, KStream<String, String>> branches = merged.split()
          .branch((k, v) -> true).branch((k, v) -> true, Branched.as("x"))
          .branch((k, v) -> true, Branched.withConsumer(s -> s.foreach((k, v) -> {})))
          .noDefaultBranch();
      for (final String name : new TreeMap<>(branches).keySet()) branches.get(name).filterNot((k, v) -> true).to("o-" + name);
      merged.foreach((k, v) -> {}, Named.as("fe"));
    });
    programs.put("repartitioned", b -> {
      b.stream("in", in()).repartition(Repartitioned.with(Serdes.String(), Serdes.String())).mapValues(v -> v)
          .repartition(Repartitioned.<String, String>as("rp").withKeySerde(Serdes.String()).withValueSerde(Serdes.String()).withNumberOfPartitions(3))
          .groupByKey().count(Named.as("cnt"));
    });
    programs.put("global-tables", b -> {
      final GlobalKTable<String, String> one = b.globalTable("g1", in());
      final GlobalKTable<String, String> two = b.globalTable("g2", in().withName("glo"), Materialized.<String, String, KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>>as("gst").withKeySerde(Serdes.String()).withValueSerde(Serdes.String()));
      b.stream("in", in()).join(one, (k, v) -> v, (l, r) -> l).leftJoin(two, (k, v) -> v, (l, r) -> l, Named.as("lj")).to("out", out());
      b.stream("other", in()).to("out2", out());
    });
    programs.put("fan-out", b -> {
      final KStream<String, String> stream = b.stream("in", in());
      for (int i = 0; i < 9; i++) {
        KStream<String, String> child = stream;
        for (int j = 0; j <= i % 4; j++) child = child.peek((k, v) -> {});
        child.to("out-" + i, out());
      }
      stream.merge(stream.filter((k, v) -> true)).groupByKey(grouped()).count();
    });
    programs.put("diamond", b -> {
      final KStream<String, String> stream = b.stream("in", in());
      final KStream<String, String> a = stream.filter((k, v) -> true, Named.as("a"));
      final KStream<String, String> c = stream.filter((k, v) -> true, Named.as("c")).mapValues(v -> v, Named.as("d"));
      final KStream<String, String> e = b.stream("in2", in()).peek((k, v) -> {}, Named.as("e"));
      c.merge(a, Named.as("ca")).merge(e, Named.as("cae")).merge(a, Named.as("caea")).to("out", out());
      e.to("side", out());
    });

    final Path folder = Path.of(args[0]);
    Files.createDirectories(folder);
    for (final Map.Entry<String, Consumer<StreamsBuilder>> program : programs.entrySet()) {
      final StreamsBuilder builder = new StreamsBuilder();
      program.getValue().accept(builder);
      Files.writeString(folder.resolve(program.getKey() + ".txt"), builder.build().describe().toString());
    }
  }
}
