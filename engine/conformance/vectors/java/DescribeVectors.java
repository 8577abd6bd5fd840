import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.errors.TopologyException;
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

    windows(programs);
    joins(programs);

    final Path folder = Path.of(args[0]);
    Files.createDirectories(folder);
    for (final Map.Entry<String, Consumer<StreamsBuilder>> program : programs.entrySet()) {
      final String plain = described(program.getValue(), StreamsConfig.NO_OPTIMIZATION);
      final String optimised = described(program.getValue(), StreamsConfig.OPTIMIZE);
      Files.writeString(folder.resolve(program.getKey() + ".txt"), plain);
      Files.writeString(folder.resolve(program.getKey() + ".unnamed.txt"), unnamed(program.getValue()));
      if (!optimised.equals(plain)) Files.writeString(folder.resolve(program.getKey() + ".optimized.txt"), optimised);
    }
  }

  static String described(final Consumer<StreamsBuilder> program, final String optimisation) {
    final StreamsBuilder builder = new StreamsBuilder();
    program.accept(builder);
    final Properties config = new Properties();
    config.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, optimisation);
    return builder.build(config).describe().toString();
  }

  /** What ensure.explicit.internal.resource.naming refuses; empty where everything is named. */
  static String unnamed(final Consumer<StreamsBuilder> program) {
    final Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, "app");
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "unused:1");
    config.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
    final StreamsBuilder builder = new StreamsBuilder(new TopologyConfig(new StreamsConfig(config)));
    program.accept(builder);
    try {
      builder.build();
      return "";
    } catch (final TopologyException refused) {
      return refused.getMessage().replace("Invalid topology: ", "");
    }
  }

  static final Aggregator<String, String, String> CONCAT = (k, v, a) -> a + v;
  static final Initializer<String> EMPTY = () -> "";
  static final Merger<String, String> MERGE = (k, a, b) -> a + b;
  static final Reducer<String> SECOND = (a, b) -> b;
  static final Reducer<String> FIRST = (a, b) -> a;
  static final ValueJoiner<String, String, String> BOTH = (l, r) -> l + r;
  static final Duration TEN = Duration.ofMillis(10);

  static <S extends org.apache.kafka.streams.processor.StateStore> Materialized<String, String, S> as(final String name) {
    return Materialized.<String, String, S>as(name).withKeySerde(Serdes.String()).withValueSerde(Serdes.String());
  }

  static KStream<String, String> keyed(final StreamsBuilder b, final String topic) {
    return b.stream(topic, in()).selectKey((k, v) -> v);
  }

  static void windows(final Map<String, Consumer<StreamsBuilder>> programs) {
    programs.put("sessions", b -> {
      final SessionWindowedKStream<String, String> sessions = keyed(b, "in").groupByKey(grouped()).windowedBy(SessionWindows.ofInactivityGapWithNoGrace(TEN));
      sessions.count();
      sessions.reduce(SECOND, Named.as("red"), strings());
      sessions.aggregate(EMPTY, CONCAT, MERGE, as("ses"));
      sessions.aggregate(EMPTY, CONCAT, MERGE, Named.as("agg"), strings()).toStream().foreach((k, v) -> {});
      sessions.count(Named.as("cnt"));
      sessions.count(Materialized.with(Serdes.String(), Serdes.Long()));
    });
    programs.put("sliding", b -> {
      final TimeWindowedKStream<String, String> sliding = keyed(b, "in").groupByKey(grouped().withName("grp"))
          .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(TEN, Duration.ofMillis(5)));
      sliding.count();
      sliding.reduce(SECOND);
      sliding.aggregate(EMPTY, CONCAT, Named.as("agg"), as("st"));
      sliding.count(Materialized.with(Serdes.String(), Serdes.Long()));
    });
    programs.put("other-windows", b -> {
      final KGroupedStream<String, String> group = b.stream("in", in()).groupByKey();
      group.windowedBy(UnlimitedWindows.of()).count();
      group.windowedBy(TimeWindows.ofSizeWithNoGrace(TEN)).emitStrategy(EmitStrategy.onWindowClose()).count(Named.as("closed")).toStream(Named.as("str"));
      group.windowedBy(TimeWindows.ofSizeWithNoGrace(TEN)).count(Materialized.with(Serdes.String(), Serdes.Long()));
      group.windowedBy(TimeWindows.ofSizeWithNoGrace(TEN)).aggregate(EMPTY, CONCAT, Named.as("agg"), strings());
    });
    programs.put("cogroups", b -> {
      final KGroupedStream<String, String> left = b.stream("l", in()).groupByKey();
      final KGroupedStream<String, String> right = keyed(b, "r").groupByKey(grouped());
      final KGroupedStream<String, String> named = b.stream("n", in()).groupBy((k, v) -> v, grouped().withName("grp"));
      final CogroupedKStream<String, String> two = left.<String>cogroup(CONCAT).cogroup(right, CONCAT);
      two.aggregate(EMPTY, strings());
      two.aggregate(EMPTY, Named.as("co"), as("st"));
      two.cogroup(named, CONCAT).aggregate(EMPTY, as("three")).toStream().to("out", out());
      right.<String>cogroup(CONCAT).aggregate(EMPTY, Named.as("one"), strings());
    });
    programs.put("windowed-cogroups", b -> {
      final KGroupedStream<String, String> left = b.stream("l", in()).groupByKey();
      final KGroupedStream<String, String> right = keyed(b, "r").groupByKey(grouped());
      final CogroupedKStream<String, String> two = right.<String>cogroup(CONCAT).cogroup(left, CONCAT);
      two.windowedBy(TimeWindows.ofSizeWithNoGrace(TEN)).aggregate(EMPTY, as("tim"));
      two.windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(TEN)).aggregate(EMPTY, Named.as("sli"), strings());
      two.windowedBy(SessionWindows.ofInactivityGapWithNoGrace(TEN)).aggregate(EMPTY, MERGE, strings());
    });
    programs.put("suppressed", b -> {
      final Suppressed<String> wait = Suppressed.untilTimeLimit(TEN, Suppressed.BufferConfig.maxRecords(5));
      final KTable<String, String> table = b.table("t", in());
      table.suppress(wait).filter((k, v) -> true).suppress(Suppressed.<String>untilTimeLimit(Duration.ofMillis(5), Suppressed.BufferConfig.unbounded()).withName("sup"));
      final KTable<Windowed<String>, Long> counts = b.stream("in", in()).groupByKey().windowedBy(TimeWindows.ofSizeWithNoGrace(TEN)).count();
      counts.suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded())).toStream().foreach((k, v) -> {});
      counts.suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()).withName("fin")).mapValues(v -> v);
      table.groupBy((k, v) -> new KeyValue<>(v, k), grouped()).count().suppress(wait).toStream().to("out", Produced.with(Serdes.String(), Serdes.Long()));
    });
  }

  static void joins(final Map<String, Consumer<StreamsBuilder>> programs) {
    final JoinWindows windows = JoinWindows.ofTimeDifferenceWithNoGrace(TEN);
    final StreamJoined<String, String, String> with = StreamJoined.with(Serdes.String(), Serdes.String(), Serdes.String());
    final Joined<String, String, String> joined = Joined.with(Serdes.String(), Serdes.String(), Serdes.String());
    programs.put("table-joins", b -> {
      final KTable<String, String> left = b.table("l", in());
      final KTable<String, String> right = b.table("r", in(), as("rst"));
      left.join(right, BOTH);
      left.leftJoin(right, BOTH, strings());
      left.outerJoin(right, BOTH, Named.as("oj"));
      left.join(right, BOTH, Named.as("nj"), as("jst")).join(left, BOTH);
      left.filter((k, v) -> true).leftJoin(right.mapValues(v -> v), BOTH).toStream().to("out", out());
    });
    programs.put("foreign-key-joins", b -> {
      final KTable<String, String> left = b.table("l", in());
      final KTable<String, String> right = b.table("r", in(), as("rst"));
      left.join(right, (String v) -> v, BOTH, strings());
      left.leftJoin(right, (String v) -> v, BOTH, TableJoined.as("fkj"), strings());
      left.leftJoin(right, (String v) -> v, BOTH, TableJoined.as("two"), as("res")).toStream().to("out", out());
    });
    programs.put("stream-joins", b -> {
      final KStream<String, String> left = b.stream("l", in());
      final KStream<String, String> right = b.stream("r", in());
      left.join(right, BOTH, windows, with).to("o1", out());
      left.leftJoin(right, BOTH, windows, with.withName("lj"));
      left.outerJoin(right, BOTH, windows, with.withStoreName("ost"));
      left.outerJoin(right, BOTH, windows, with.withName("oj").withStoreName("ojs"));
      left.outerJoin(right, BOTH, windows, with).foreach((k, v) -> {});
      left.join(left, BOTH, windows, with).to("self", out());
      left.join(left, BOTH, windows, with.withName("selfie")).to("self2", out());
    });
    programs.put("rekeyed-stream-joins", b -> {
      final KStream<String, String> left = keyed(b, "l");
      final KStream<String, String> right = keyed(b, "r");
      left.join(right, BOTH, windows, with).to("o1", out());
      left.leftJoin(right, BOTH, windows, with).to("o2", out());
      left.outerJoin(right, BOTH, windows, with.withName("named")).to("o3", out());
      left.join(left, BOTH, windows, with).to("o4", out());
      left.join(b.stream("plain", in()), BOTH, windows, with.withName("half")).to("o5", out());
    });
    programs.put("merged-repartitions", b -> {
      final KStream<String, String> stream = keyed(b, "in");
      stream.filter((k, v) -> true).groupByKey(grouped()).count();
      stream.peek((k, v) -> {}).groupByKey(grouped().withName("grp")).reduce(FIRST, as("red"));
      stream.join(b.table("t", in()), BOTH, joined).to("o1", out());
      stream.toTable(strings()).toStream().to("o2", out());
      stream.mapValues(v -> v).groupByKey(grouped()).reduce(FIRST).toStream().to("o3", out());
      stream.map((k, v) -> new KeyValue<>(v, k)).groupByKey(grouped()).count(Named.as("cnt"));
    });
    programs.put("merged-below-merge", b -> {
      final KStream<String, String> merged = keyed(b, "l").merge(b.stream("r", in()).map((k, v) -> new KeyValue<>(v, k), Named.as("mp")));
      merged.filter((k, v) -> true).groupByKey(grouped()).count();
      merged.peek((k, v) -> {}, Named.as("pk")).groupByKey(grouped()).reduce(FIRST, Named.as("rd"), strings());
      keyed(b, "one").merge(keyed(b, "two")).groupByKey(grouped()).count();
    });
    programs.put("reused-tables", b -> {
      final KTable<String, String> kept = b.table("kept", in(), as("st"));
      final KTable<String, String> bare = b.table("bare", in());
      b.stream("in", in()).join(kept, BOTH).leftJoin(bare, BOTH).to("out", out());
      b.table("idle", in()).toStream().to("idle-out", out());
      bare.groupBy((k, v) -> new KeyValue<>(v, k), grouped()).count();
    });
    programs.put("printed", b -> {
      b.stream("in", in()).flatMapValues(v -> List.of(v), Named.as("fmv")).print(Printed.toSysOut());
      b.stream("other", in()).flatMap((k, v) -> List.of(new KeyValue<>(k, v)), Named.as("fm")).print(Printed.<String, String>toSysOut().withName("prt").withLabel("lbl"));
      b.table("t", in()).toStream((k, v) -> k, Named.as("ts")).groupByKey(grouped()).count();
    });
  }
}
