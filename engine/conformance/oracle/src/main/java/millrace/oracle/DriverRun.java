package millrace.oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.test.TestRecord;

/** One run of a topology in the test driver: every record that it writes, as bytes, and its key-value stores at the end. */
final class DriverRun {
  private static final HexFormat HEX = HexFormat.of();
  private final Topology topology;
  private final Properties config;
  private final JsonNode run;

  DriverRun(final Topology topology, final Params params, final JsonNode run) {
    this.topology = topology;
    this.config = Settings.of(params);
    this.run = run;
  }

  void answer(final ObjectNode answer) throws IOException {
    final Path directory = Files.createTempDirectory("oracle");
    config.put(StreamsConfig.STATE_DIR_CONFIG, directory.toString());
    try (TopologyTestDriver driver = new TopologyTestDriver(topology, config, Instant.EPOCH)) {
      final ArrayNode records = answer.putArray("records");
      final TreeMap<String, TestInputTopic<String, String>> inputs = new TreeMap<>();
      int step = 0;
      for (final JsonNode input : run.path("steps")) {
        try {
          if (input.has("advanceWallClockMs")) driver.advanceWallClockTime(Duration.ofMillis(input.get("advanceWallClockMs").asLong()));
          else {
            inputs.computeIfAbsent(input.get("topic").asText(), topic -> driver.createInputTopic(topic, new StringSerializer(), new StringSerializer()))
                .pipeInput(text(input.get("key")), text(input.get("value")), input.get("timestamp").asLong());
          }
        } catch (final RuntimeException error) {
          throw new IllegalStateException("step " + step + ": " + error.getMessage(), error);
        }
        read(driver, step, records);
        step++;
      }
      stores(driver, answer.putObject("stores"));
    } finally {
      delete(directory);
    }
  }

  private static String text(final JsonNode value) {
    return value == null || value.isNull() ? null : value.asText();
  }

  /** What the step wrote: topics in alphabetical order, records of one topic in theirs. */
  private static void read(final TopologyTestDriver driver, final int step, final ArrayNode records) {
    for (final String topic : new TreeSet<>(driver.producedTopicNames())) {
      final var output = driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer());
      while (!output.isEmpty()) {
        final TestRecord<byte[], byte[]> record = output.readRecord();
        final ObjectNode node = records.addObject();
        node.put("step", step);
        node.put("topic", topic);
        node.put("keyHex", hex(record.key()));
        node.put("valueHex", hex(record.value()));
        node.put("timestamp", record.timestamp());
        if (record.headers().toArray().length == 0) continue;
        final ArrayNode headers = node.putArray("headers");
        for (final Header header : record.headers()) {
          headers.addObject().put("key", header.key()).put("valueHex", hex(header.value()));
        }
      }
    }
  }

  private static String hex(final byte[] bytes) {
    return bytes == null ? null : HEX.formatHex(bytes);
  }

  private void stores(final TopologyTestDriver driver, final ObjectNode stores) {
    for (final var store : new TreeMap<>(driver.getAllStateStores()).entrySet()) {
      final StateStore kept = store.getValue();
      if (!(kept instanceof KeyValueStore)) continue;
      final boolean timestamped = kept instanceof TimestampedKeyValueStore;
      final ArrayNode entries = stores.putArray(store.getKey());
      @SuppressWarnings("unchecked")
      final KeyValueStore<Object, Object> values = (KeyValueStore<Object, Object>) kept;
      boolean plain = true;
      try (KeyValueIterator<Object, Object> all = values.all()) {
        while (plain && all.hasNext()) plain = entry(entries.addObject(), all.next(), timestamped);
      }
      // Subscriptions and the waiting records of outer joins are compared by their changelogs.
      if (!plain) stores.remove(store.getKey());
    }
  }

  /** False where key or value are something of Kafka Streams' own. */
  private static boolean entry(final ObjectNode entry, final KeyValue<Object, Object> stored, final boolean timestamped) {
    if (!(stored.key instanceof final String key)) return false;
    entry.put("key", key);
    final Object value = timestamped ? ((ValueAndTimestamp<?>) stored.value).value() : stored.value;
    if (value instanceof final Long number) entry.put("value", number);
    else if (value instanceof final String text) entry.put("value", text);
    else return false;
    if (timestamped) entry.put("timestamp", ((ValueAndTimestamp<?>) stored.value).timestamp());
    return true;
  }

  private static void delete(final Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      for (final Path path : paths.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(path);
    }
  }
}
