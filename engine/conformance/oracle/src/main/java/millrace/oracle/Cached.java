package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.WindowStore;

/** Programs with record caches: the twin of `topologies/cached.ts`. */
final class Cached {
  private Cached() {}

  static void addTo(final Topologies all) {
    all.add("cached-reduce", (builder, params) -> fanned(builder, "in").groupByKey()
        .reduce((a, v) -> a.length() > 20 ? null : a + v, kept("r")).toStream()
        .processValues(Origin::new).to("out", out()));

    all.add("cached-read-below", (builder, params) -> fanned(builder, "in").groupByKey()
        .aggregate(() -> "", grown(14), kept("r"))
        .toStream().process(ReadsAbove::new, "r").to("out", out()));

    all.add("cached-chain", (builder, params) -> fanned(builder, "in").groupByKey()
        .aggregate(() -> "", grown(14), kept("a"))
        .filter((k, v) -> !v.contains("b"), kept("f"))
        .mapValues(v -> v + "!", kept("m"))
        .groupBy((k, v) -> KeyValue.pair(first(v), k + v), grouped().withName("byfirst"))
        .reduce((a, v) -> a + "+" + v, (a, v) -> a.length() > 40 ? null : a + "-" + v, kept("g"))
        .toStream().to("out", out()));

    all.add("cached-hopping", (builder, params) -> hoppingTexts(builder, "in", "w", params).toStream().to("out"));

    all.add("cached-windowed-chain", (builder, params) -> hoppingTexts(builder, "in", "w", params)
        .filter((k, v) -> !v.startsWith("x"), windowedKept("f", params))
        .mapValues(v -> v + "!", windowedKept("m", params))
        .toStream().to("out", Produced.with(key(params), STRING)));

    all.add("cached-windowed-join", (builder, params) -> {
      final KTable<Windowed<String>, String> left = hoppingTexts(builder, "left", "l", params).mapValues(v -> v + "L", windowedKept("lm", params));
      final KTable<Windowed<String>, String> right = hoppingTexts(builder, "right", "r", params);
      left.outerJoin(right, Dsl::joined, windowedKept("j", params)).filter((k, v) -> !v.contains("c"))
          .toStream().to("out", Produced.with(key(params), STRING));
    });

    all.add("cached-sliding", (builder, params) -> fanned(builder, "in").groupByKey()
        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(params.get("diff") + 1), params.ms("grace")))
        .aggregate(() -> "", grown(1_000_000), windows("w", STRING, params)).toStream().to("out"));

    all.add("cached-session", (builder, params) -> fanned(builder, "in").groupByKey()
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(params.ms("gap"), params.ms("grace")))
        .aggregate(() -> "", (k, v, a) -> a + v, (k, a, o) -> "(" + a + "&" + o + ")", sessions("s", STRING, params))
        .toStream().to("out"));

    all.addTopology("cached-papi", params -> {
      final StoreBuilder<KeyValueStore<String, String>> texts = Stores.keyValueStoreBuilder(
          params.is("rocksdb") ? Stores.persistentKeyValueStore("kv") : Stores.inMemoryKeyValueStore("kv"), STRING, STRING).withCachingEnabled();
      final StoreBuilder<TimestampedKeyValueStore<String, String>> times = Stores.timestampedKeyValueStoreBuilder(
          params.is("rocksdb") ? Stores.persistentTimestampedKeyValueStore("ts") : Stores.inMemoryKeyValueStore("ts"), STRING, STRING).withCachingEnabled();
      return new Topology()
          .addSource("src", STRING.deserializer(), STRING.deserializer(), "in")
          .addProcessor("proc", UsesStores::new, "src")
          .addStateStore(texts, "proc").addStateStore(times, "proc")
          .addSink("sink", "out", STRING.serializer(), STRING.serializer(), "proc");
    });

    all.addTopology("cached-papi-windows", params -> {
      final Duration kept = Duration.ofMillis(40);
      final Duration size = Duration.ofMillis(5);
      final StoreBuilder<WindowStore<String, String>> windows = Stores.windowStoreBuilder(
          params.is("rocksdb") ? Stores.persistentWindowStore("w", kept, size, false) : Stores.inMemoryWindowStore("w", kept, size, false), STRING, STRING).withCachingEnabled();
      final StoreBuilder<SessionStore<String, String>> sessions = Stores.sessionStoreBuilder(
          params.is("rocksdb") ? Stores.persistentSessionStore("s", kept) : Stores.inMemorySessionStore("s", kept), STRING, STRING).withCachingEnabled();
      return new Topology()
          .addSource("src", STRING.deserializer(), STRING.deserializer(), "in")
          .addProcessor("proc", UsesWindows::new, "src")
          .addStateStore(windows, "proc").addStateStore(sessions, "proc")
          .addSink("sink", "out", STRING.serializer(), STRING.serializer(), "proc");
    });
  }

  static KStream<String, String> fanned(final StreamsBuilder builder, final String topic) {
    return builder.stream(topic, in()).processValues(Fan::new);
  }

  /** Concatenates; long texts are deleted. */
  private static Aggregator<String, String, String> grown(final int limit) {
    return (k, v, a) -> a.length() > limit ? null : a + v;
  }

  static KTable<Windowed<String>, String> hoppingTexts(final StreamsBuilder builder, final String topic, final String name, final Params params) {
    final TimeWindows windows = TimeWindows.ofSizeAndGrace(params.ms("size"), params.ms("grace"))
        .advanceBy(Duration.ofMillis(Math.min(params.get("advance"), params.get("size"))));
    return fanned(builder, topic).groupByKey().windowedBy(windows).aggregate(() -> "", grown(14), windows(name, STRING, params));
  }

  private static Serde<Windowed<String>> key(final Params params) {
    return new WindowedSerdes.TimeWindowedSerde<>(STRING, params.get("size"));
  }

  private static Materialized<Windowed<String>, String, KeyValueStore<Bytes, byte[]>> windowedKept(final String name, final Params params) {
    return Materialized.<Windowed<String>, String, KeyValueStore<Bytes, byte[]>>as(name).withKeySerde(key(params)).withValueSerde(STRING);
  }

  private static String shown(final KeyValueIterator<?, String> entries) {
    return shown(entries, value -> value);
  }

  private static <K, V> String shown(final KeyValueIterator<K, V> entries, final Function<V, String> text) {
    final List<String> all = new ArrayList<>();
    try (entries) {
      while (entries.hasNext()) {
        final KeyValue<K, V> entry = entries.next();
        final String key = entry.key instanceof Windowed<?> w ? w.window().start() + "-" + w.window().end() : String.valueOf(entry.key);
        all.add(key + "=" + text.apply(entry.value));
      }
    }
    return String.join(",", all);
  }

  /** Makes several records of one: updates of one commit. */
  private static final class Fan extends ContextualFixedKeyProcessor<String, String, String> {
    @Override
    public void process(final FixedKeyRecord<String, String> record) {
      final String value = record.value();
      if (value == null) {
        context().forward(record);
        return;
      }
      context().forward(record.withHeaders(header("h", value)));
      context().forward(record.withValue("x" + value).withTimestamp(Math.max(0, record.timestamp() - 3)).withHeaders(new RecordHeaders()));
      context().forward(record.withValue(value + "'").withTimestamp(record.timestamp() + 1).withHeaders(header("long-name", value + value)));
    }

    private static Headers header(final String name, final String value) {
      return new RecordHeaders().add(name, value.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Adds where the record came from to its value. */
  static final class Origin extends ContextualFixedKeyProcessor<String, String, String> {
    @Override
    public void process(final FixedKeyRecord<String, String> record) {
      final RecordMetadata metadata = context().recordMetadata().orElse(null);
      final String from = metadata == null ? "null-null" : metadata.topic() + "-" + metadata.offset();
      context().forward(record.withValue(record.value() + "@" + from));
    }
  }

  /** Every operation of a key-value store, on keys made of the record's. */
  private static final class UsesStores extends ContextualProcessor<String, String, String, String> {
    @Override
    public void process(final Record<String, String> record) {
      final String key = String.valueOf(record.key());
      final String value = String.valueOf(record.value());
      final KeyValueStore<String, String> store = context().getStateStore("kv");
      final TimestampedKeyValueStore<String, String> times = context().getStateStore("ts");
      final List<String> seen = new ArrayList<>();
      for (int i = 0; i < 4; i += 1) {
        seen.add(String.valueOf(store.get(key + i)));
        store.put(key + (i * 3) % 5, value + i);
        times.put("" + i, ValueAndTimestamp.make(value + key, record.timestamp() + i));
      }
      seen.add(String.valueOf(store.putIfAbsent(key + 9, value)));
      if (value.startsWith("b")) {
        seen.add(String.valueOf(store.delete(key + 1)));
        seen.add(String.valueOf(store.delete("none")));
      }
      if (value.startsWith("x")) store.putAll(List.of(KeyValue.pair(key + 7, value), KeyValue.pair(key + 1, null)));
      seen.add(shown(store.range(key + 1, key + 8)));
      seen.add(shown(store.all()));
      seen.add(shown(store.prefixScan(key, STRING.serializer())));
      final ValueAndTimestamp<String> two = times.get("2");
      seen.add(two.value());
      seen.add(String.valueOf(two.timestamp()));
      context().forward(new Record<>(key, String.join(";", seen), record.timestamp()));
      if (value.startsWith("c")) {
        final String text = shown(times.reverseRange("0", "2"), ValueAndTimestamp::value);
        context().forward(new Record<>(key, text, record.timestamp()));
      }
    }
  }

  /** Puts and finds windows and sessions of one key at a time. */
  private static final class UsesWindows extends ContextualProcessor<String, String, String, String> {
    @Override
    public void process(final Record<String, String> record) {
      final String key = String.valueOf(record.key());
      final String value = String.valueOf(record.value());
      final long timestamp = record.timestamp();
      final WindowStore<String, String> windows = context().getStateStore("w");
      final SessionStore<String, String> sessions = context().getStateStore("s");
      final List<String> seen = new ArrayList<>();
      for (int i = 0; i < 3; i += 1) {
        final long start = Math.max(0, timestamp - 4L * i);
        seen.add(String.valueOf(windows.fetch(key, start)));
        windows.put(key, value.equals("x") ? null : value + i, start);
        final Windowed<String> session = new Windowed<>(key, new SessionWindow(start, start + 2));
        if (value.startsWith("b")) sessions.remove(session);
        else sessions.put(session, value + i);
        seen.add(String.valueOf(sessions.fetchSession(key, start, start + 2)));
      }
      final long from = Math.max(0, timestamp - 20);
      seen.add(shown(windows.fetch(key, from, timestamp)));
      seen.add(shown(sessions.findSessions(key, from, timestamp)));
      context().forward(new Record<>(key, String.join(";", seen), timestamp));
    }
  }

  /** Reads the cached table that its records come from. */
  private static final class ReadsAbove extends ContextualProcessor<String, String, String, String> {
    @Override
    public void process(final Record<String, String> record) {
      final TimestampedKeyValueStore<String, String> store = context().getStateStore("r");
      final List<String> seen = new ArrayList<>();
      for (final String key : List.of("A", "B", "C")) {
        final ValueAndTimestamp<String> found = store.get(key);
        seen.add(String.valueOf(found == null ? null : found.value()));
      }
      context().forward(record.withValue(record.value() + ":" + String.join(",", seen)));
      context().forward(record);
    }
  }
}
