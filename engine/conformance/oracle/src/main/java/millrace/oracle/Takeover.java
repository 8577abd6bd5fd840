package millrace.oracle;

import static millrace.oracle.Dsl.*;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Scanner;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The application of the takeover test on a real broker: the twin of `takeover/program.ts`.
 *
 * <p>`run BOOTSTRAP APPLICATION_ID STATE_DIR GUARANTEE` prints its states, one a line, stops when its input ends, and prints `CLOSED`.
 * `topics BOOTSTRAP PREFIX` prints partitions and configurations of topics as one line of JSON.
 */
public final class Takeover {
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);
  private static final int SESSION_TIMEOUT_MS = 6_000;
  private static final Duration WINDOW = Duration.ofSeconds(10);
  private static final Duration GRACE = Duration.ofSeconds(5);
  private static final Duration GAP = Duration.ofSeconds(2);

  /** Nothing that waits for its window to close has expired before. */
  private static final Duration AMPLE = Duration.ofHours(1);

  private Takeover() {}

  public static void main(final String[] args) throws Exception {
    if (args[0].equals("topics")) printTopics(args[1], args[2]);
    else run(args[1], args[2], args[3], args[4]);
  }

  /** Topics are named after the application, which is alone with its input. */
  static StreamsBuilder program(final String prefix) {
    final StreamsBuilder builder = new StreamsBuilder();
    final KStream<String, String> events = builder.stream(prefix + "-events", in());

    final KTable<Windowed<String>, Long> counts = events.groupByKey(grouped())
        .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW, GRACE))
        .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("counts").withKeySerde(STRING).withValueSerde(LONG));
    counts.toStream().to(prefix + "-counts", Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, WINDOW.toMillis()), LONG));
    counts.suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())).toStream()
        .to(prefix + "-finals", Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, WINDOW.toMillis()), LONG));

    events.groupByKey(grouped()).windowedBy(SessionWindows.ofInactivityGapAndGrace(GAP, GRACE))
        .count(Materialized.<String, Long, SessionStore<Bytes, byte[]>>as("sessions").withKeySerde(STRING).withValueSerde(LONG))
        .toStream().to(prefix + "-sessions", Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), LONG));

    events.groupByKey(grouped()).windowedBy(TimeWindows.ofSizeAndGrace(WINDOW, GRACE)).emitStrategy(EmitStrategy.onWindowClose())
        .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("closed").withKeySerde(STRING).withValueSerde(LONG).withRetention(AMPLE))
        .toStream().to(prefix + "-closed", Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, WINDOW.toMillis()), LONG));

    events.groupBy((key, value) -> value, Grouped.with("by-value", STRING, STRING)).count()
        .toStream().to(prefix + "-values", Produced.with(STRING, LONG));

    final KTable<String, String> left = builder.table(prefix + "-left", in());
    final KTable<String, String> right = builder.table(prefix + "-right", in());
    left.outerJoin(right, Dsl::joined, kept("joined")).toStream().to(prefix + "-joined", out());

    final KTable<String, String> orders = builder.table(prefix + "-orders", in(), kept("orders"));
    final KTable<String, String> products = builder.table(prefix + "-products", in());
    orders.leftJoin(products, Dsl::foreignKey, Dsl::joined, kept("priced")).toStream().to(prefix + "-priced", out());
    return builder;
  }

  private static void run(final String bootstrap, final String applicationId, final String stateDir, final String guarantee) {
    final Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, applicationId);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    config.put(StreamsConfig.STATE_DIR_CONFIG, stateDir);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
    config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    // At once, not at most once a second of the wall clock.
    config.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
    config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    config.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, SESSION_TIMEOUT_MS);
    final KafkaStreams streams = new KafkaStreams(program(applicationId).build(), config);
    streams.setStateListener((now, before) -> System.out.println(now));
    streams.start();
    final Scanner input = new Scanner(System.in);
    while (input.hasNextLine()) input.nextLine();
    // Without leaving, the group would wait for this member until its session ends.
    final boolean closed = streams.close(CloseOptions.timeout(CLOSE_TIMEOUT).withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
    System.out.println(closed ? "CLOSED" : "STILL RUNNING");
    System.exit(closed ? 0 : 1);
  }

  private static void printTopics(final String bootstrap, final String prefix) throws Exception {
    final Map<String, Map<String, String>> found = new TreeMap<>();
    try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap))) {
      final List<String> names = admin.listTopics().names().get().stream().filter(name -> name.startsWith(prefix)).toList();
      final var topics = admin.describeTopics(names).allTopicNames().get();
      final var configs = admin.describeConfigs(names.stream().map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name)).toList()).all().get();
      configs.forEach((topic, config) -> {
        final Map<String, String> entries = new TreeMap<>();
        entries.put("partitions", String.valueOf(topics.get(topic.name()).partitions().size()));
        for (final ConfigEntry entry : config.entries()) {
          if (entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG) entries.put(entry.name(), entry.value());
        }
        found.put(topic.name(), entries);
      });
    }
    System.out.println(new ObjectMapper().writeValueAsString(found));
  }
}
