import java.nio.file.*;
import java.time.*;
import java.util.*;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.*;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Runs random inputs through the programs of test/conformance/programs.ts in Kafka Streams' own test driver and writes inputs and
 * outputs, one JSON document a program. To run again, with kafka-streams and kafka-streams-test-utils 4.3.1 in libs:
 * javac -cp 'libs/*' ProgramVectors.java && java -cp 'libs/*:.' ProgramVectors ../programs
 */
public class ProgramVectors {
  static final int RUNS = 4;
  static final int STEPS = 60;

  static Consumed<String, String> in() {
    return Consumed.with(Serdes.String(), Serdes.String());
  }

  static Produced<String, String> out() {
    return Produced.with(Serdes.String(), Serdes.String());
  }

  static Grouped<String, String> grouped() {
    return Grouped.with(Serdes.String(), Serdes.String());
  }

  static Materialized<String, String, KeyValueStore<Bytes, byte[]>> store(final String name) {
    return Materialized.<String, String>as(Stores.inMemoryKeyValueStore(name)).withKeySerde(Serdes.String()).withValueSerde(Serdes.String());
  }

  static Materialized<String, Long, KeyValueStore<Bytes, byte[]>> counts(final String name) {
    return Materialized.<String, Long>as(Stores.inMemoryKeyValueStore(name)).withKeySerde(Serdes.String()).withValueSerde(Serdes.Long());
  }

  static String first(final String v) {
    return v.substring(0, 1);
  }

  static final Map<String, Consumer<StreamsBuilder>> PROGRAMS = new LinkedHashMap<>();

  static {
    PROGRAMS.put("count-regrouped", b -> b.stream("in", in()).groupByKey().count(counts("c"))
        .groupBy((k, n) -> new KeyValue<>("n" + n % 3, k), grouped()).count(counts("d"))
        .toStream().mapValues(String::valueOf).to("out", out()));
    PROGRAMS.put("aggregate-regrouped", b -> b.stream("in", in()).groupByKey()
        .aggregate(() -> "-", (k, v, a) -> v.startsWith("a") ? null : a + v, store("a"))
        .groupBy((k, v) -> new KeyValue<>("all", k + v), grouped())
        .reduce((a, v) -> a + "+" + v, (a, v) -> a + "~" + v, store("r")).toStream().to("out", out()));
    PROGRAMS.put("reduce-to-null", b -> b.stream("in", in()).groupByKey()
        .reduce((a, v) -> v.startsWith("b") ? null : a + v, store("r")).toStream().to("out", out()));
    PROGRAMS.put("table-regrouped-reduce", b -> b.table("in", in()).groupBy((k, v) -> new KeyValue<>(first(v), v), grouped())
        .reduce((a, v) -> a + "+" + v, (a, v) -> a.length() > 40 ? null : a + "-" + v, store("r")).toStream().to("out", out()));
    PROGRAMS.put("table-regrouped-count", b -> b.table("in", in())
        .filter((k, v) -> !v.startsWith("c")).groupBy((k, v) -> new KeyValue<>(first(v), v), grouped())
        .count(counts("c")).toStream().mapValues(String::valueOf).to("out", out()));
    PROGRAMS.put("table-bare-filter", b -> b.table("in", in()).filter((k, v) -> !v.startsWith("a"))
        .filterNot((k, v) -> v.startsWith("b")).mapValues(v -> v + "!").toStream().to("out", out()));
    PROGRAMS.put("table-kept-chain", b -> b.table("in", in()).filter((k, v) -> !v.startsWith("a"))
        .mapValues(v -> v + "!", store("m")).filter((k, v) -> !v.startsWith("b"), store("f"))
        .mapValues((k, v) -> k + v).toStream().to("out", out()));
    PROGRAMS.put("derived-table-join", b -> {
      final KTable<String, String> table = b.table("in2", in()).filter((k, v) -> !v.startsWith("a")).mapValues((k, v) -> k + v);
      b.stream("in", in()).leftJoin(table, (l, r) -> l + "|" + r).to("out", out());
    });
    PROGRAMS.put("aggregate-join", b -> {
      final KTable<String, Long> table = b.stream("in2", in()).groupByKey().count();
      b.stream("in", in()).join(table, (k, l, r) -> k + l + r).to("out", out());
    });
    PROGRAMS.put("bare-totable-join", b -> {
      final KTable<String, String> table = b.stream("in2", in()).selectKey((k, v) -> v == null ? k : v.substring(0, 1))
          .toTable(Materialized.with(Serdes.String(), Serdes.String()));
      b.stream("in", in()).selectKey((k, v) -> v == null ? k : v.substring(0, 1))
          .join(table, (l, r) -> l + "|" + r, Joined.with(Serdes.String(), Serdes.String(), Serdes.String())).to("out", out());
    });
    PROGRAMS.put("global-inner-join", b -> {
      final GlobalKTable<String, String> table = b.globalTable("in2", in(), store("g"));
      b.stream("in", in()).join(table, (k, v) -> k, (k, l, r) -> k + l + "|" + r).to("out", out());
    });
    PROGRAMS.put("window-reduce", b -> b.stream("in", in()).groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(10), Duration.ofMillis(4)))
        .reduce((a, v) -> a + v, Materialized.<String, String, WindowStore<Bytes, byte[]>>as("w"))
        .toStream((w, v) -> w.key() + "@" + w.window().start() + "-" + w.window().end()).to("out", out()));
    PROGRAMS.put("window-regrouped", b -> b.stream("in", in())
        .groupBy((k, v) -> v == null ? null : first(v), grouped())
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(12), Duration.ofMillis(3)).advanceBy(Duration.ofMillis(5)))
        .aggregate(() -> "", (k, v, a) -> v.startsWith("c") ? null : a + v, Materialized.<String, String, WindowStore<Bytes, byte[]>>as("w").withValueSerde(Serdes.String()))
        .groupBy((w, v) -> new KeyValue<>(w.key(), v), grouped()).count(counts("c"))
        .toStream().mapValues(String::valueOf).to("out", out()));
  }

  static String json(final String s) {
    return s == null ? "null" : "\"" + s + "\"";
  }

  public static void main(final String[] args) throws Exception {
    final Path folder = Path.of(args[0]);
    Files.createDirectories(folder);
    for (final Map.Entry<String, Consumer<StreamsBuilder>> program : PROGRAMS.entrySet()) {
      final StringBuilder text = new StringBuilder("{\"topology\":\"" + program.getKey() + "\",\"kafkaStreamsVersion\":\"4.3.1\",\"runs\":[\n");
      for (int run = 0; run < RUNS; run++) {
        text.append(run == 0 ? "" : ",\n").append(run(program.getKey(), program.getValue(), run));
      }
      Files.writeString(folder.resolve(program.getKey() + ".json"), text.append("\n]}\n"));
    }
  }

  static String run(final String name, final Consumer<StreamsBuilder> program, final int run) {
    final StreamsBuilder builder = new StreamsBuilder();
    program.accept(builder);
    final Topology topology = builder.build();
    final Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, "app");
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "unused:1");
    config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    config.put(StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir") + "/program-vectors-" + ProcessHandle.current().pid());
    final Random random = new Random(name.hashCode() * 31L + run);
    final boolean two = topology.describe().toString().contains("[in2]");
    final StringBuilder steps = new StringBuilder();
    final StringBuilder outputs = new StringBuilder();
    long base = run == 1 ? 0 : 100;
    try (TopologyTestDriver driver = new TopologyTestDriver(topology, config, Instant.EPOCH)) {
      for (int step = 0; step < STEPS; step++) {
        base += random.nextInt(10) == 0 ? 20 : random.nextInt(3);
        final long timestamp = Math.max(0, base - (run == 0 ? 0 : random.nextInt(8 * run)));
        final String topic = two && random.nextInt(5) < 2 ? "in2" : "in";
        final String key = random.nextInt(20) == 0 ? null : "" + (char) ('A' + random.nextInt(3));
        final String value = random.nextInt(7) == 0 ? null : "" + (char) ('a' + random.nextInt(3)) + step;
        driver.createInputTopic(topic, new StringSerializer(), new StringSerializer()).pipeInput(key, value, timestamp);
        steps.append(step == 0 ? "" : ",").append("{\"topic\":\"").append(topic).append("\",\"key\":").append(json(key))
            .append(",\"value\":").append(json(value)).append(",\"timestamp\":").append(timestamp).append("}");
        for (final TestRecord<String, String> record : driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer()).readRecordsToList()) {
          outputs.append(outputs.length() == 0 ? "" : ",").append("{\"step\":").append(step).append(",\"topic\":\"out\",\"key\":").append(json(record.key()))
              .append(",\"value\":").append(json(record.value())).append(",\"timestamp\":").append(record.timestamp()).append("}");
        }
      }
    }
    return "{\"topology\":\"" + name + "\",\"params\":{},\"run\":" + run + ",\"steps\":[" + steps + "],\"outputs\":[" + outputs + "],\"stores\":{}}";
  }
}
