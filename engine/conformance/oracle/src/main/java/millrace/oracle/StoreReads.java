package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/** Stores read in every way: the twin of `topologies/store-reads.ts`. Stores are those on disk, whose order ours have in memory, too. */
final class StoreReads {
  private static final int LENGTHS_KEPT = 3;
  private static final int BACK = 12;
  private static final int AHEAD = 4;

  private StoreReads() {}

  static void addTo(final Topologies all) {
    all.addTopology("papi-key-value-reads", params -> topology(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("st"), STRING, STRING), KeyValueReads::new));
    all.addTopology("papi-window-reads", params -> topology(
        Stores.windowStoreBuilder(Stores.persistentWindowStore("st", kept(params), params.ms("size"), params.is("duplicates")), STRING, STRING),
        () -> new WindowReads(params.is("duplicates"))));
    all.addTopology("papi-session-reads", params -> topology(
        Stores.sessionStoreBuilder(Stores.persistentSessionStore("st", kept(params)), STRING, STRING), SessionReads::new));
  }

  private static Duration kept(final Params params) {
    return params.ms("size").multipliedBy(LENGTHS_KEPT);
  }

  private static Topology topology(final StoreBuilder<?> store, final Supplier<Reading<?>> processor) {
    return new Topology()
        .addSource("src", STRING.deserializer(), STRING.deserializer(), "in")
        .addProcessor("proc", () -> processor.get(), "src")
        .addStateStore(store, "proc")
        .addSink("sink", "out", STRING.serializer(), STRING.serializer(), "proc");
  }

  /** Puts each record into a store in some way, then reads the store in every way and forwards what it found. */
  private abstract static class Reading<S extends StateStore> extends ContextualProcessor<String, String, String, String> {
    protected S store;
    private List<String> found;

    @Override
    public void init(final ProcessorContext<String, String> context) {
      super.init(context);
      store = context.getStateStore("st");
    }

    @Override
    public void process(final Record<String, String> record) {
      if (record.key() == null) return;
      found = new ArrayList<>();
      read(record.key(), record.value(), record.timestamp());
      context().forward(new Record<>(record.key(), String.join(" ", found), record.timestamp()));
    }

    abstract void read(String key, String value, long timestamp);

    void add(final String name, final Object value) {
      found.add(name + "=" + value);
    }

    void add(final String name, final KeyValueIterator<?, String> entries) {
      final List<String> texts = new ArrayList<>();
      try (entries) {
        entries.forEachRemaining(entry -> texts.add(text(entry.key) + ":" + entry.value));
      }
      found.add(name + "=" + String.join(",", texts));
    }

    private static String text(final Object key) {
      if (!(key instanceof Windowed)) return String.valueOf(key);
      final Windowed<?> windowed = (Windowed<?>) key;
      return windowed.key() + "@" + windowed.window().start() + "-" + windowed.window().end();
    }
  }

  private static final class KeyValueReads extends Reading<KeyValueStore<String, String>> {
    @Override
    void read(final String key, final String value, final long timestamp) {
      final String full = key + (value == null ? "a" : first(value));
      String answer = null;
      if (value == null) answer = store.delete(full);
      else if (value.startsWith("x")) answer = store.putIfAbsent(full, value);
      else store.put(full, value);
      add("answer", (Object) answer);
      add("get", (Object) store.get(full));
      add("all", store.all());
      add("reverseAll", store.reverseAll());
      add("range", store.range(key, key + "b"));
      add("rangeTo", store.range(null, key + "b"));
      add("reverseRange", store.reverseRange(key, null));
      add("emptyRange", store.range(key + "b", key));
      add("prefix", store.prefixScan(key, new StringSerializer()));
    }
  }

  private static final class WindowReads extends Reading<WindowStore<String, String>> {
    private final boolean duplicates;

    WindowReads(final boolean duplicates) {
      this.duplicates = duplicates;
    }

    @Override
    void read(final String key, final String value, final long timestamp) {
      if (value != null || !duplicates) store.put(key, value, timestamp);
      final long from = timestamp - BACK;
      final long to = timestamp + AHEAD;
      add("fetch", store.fetch(key, from, to));
      add("backwardFetch", store.backwardFetch(key, from, to));
      add("fetchAll", store.fetchAll(from, to));
      add("backwardFetchAll", store.backwardFetchAll(from, to));
      add("all", store.all());
      add("backwardAll", store.backwardAll());
    }
  }

  private static final class SessionReads extends Reading<SessionStore<String, String>> {
    @Override
    void read(final String key, final String value, final long timestamp) {
      final long start = timestamp - timestamp % 7;
      final Windowed<String> session = new Windowed<>(key, new SessionWindow(start, timestamp));
      if (value == null) store.remove(session);
      else store.put(session, value);
      final Instant from = Instant.ofEpochMilli(timestamp - BACK);
      final Instant to = Instant.ofEpochMilli(timestamp + AHEAD);
      final Instant now = Instant.ofEpochMilli(timestamp);
      final String upTo = key + "z";
      add("fetchSession", (Object) store.fetchSession(key, start, timestamp));
      add("fetch", store.fetch(key));
      add("backwardFetch", store.backwardFetch(key));
      add("fetchKeys", store.fetch(key, upTo));
      add("backwardFetchKeys", store.backwardFetch(key, upTo));
      add("find", store.findSessions(key, from, to));
      add("backwardFind", store.backwardFindSessions(key, from, now));
      add("findKeys", store.findSessions(key, upTo, from, to));
      add("backwardFindKeys", store.backwardFindSessions(key, upTo, from, now));
    }
  }
}
