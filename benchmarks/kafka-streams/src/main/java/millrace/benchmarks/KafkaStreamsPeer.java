package millrace.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.Stores;

/**
 * Runs one topology over a topic until it is killed. The benchmark measures it from outside, as it measures Millrace.
 * Arguments: topology, bootstrap servers, application id, input topic, output topic, state directory.
 */
public final class KafkaStreamsPeer {
    private static final ObjectMapper JSON = new ObjectMapper();

    private KafkaStreamsPeer() {
    }

    public static void main(final String[] arguments) throws InterruptedException {
        final String topology = arguments[0];
        final String input = arguments[3];
        final String output = arguments[4];
        final StreamsBuilder builder = new StreamsBuilder();
        switch (topology) {
            case "pass-through" -> builder
                .stream(input, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .to(output, Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));
            case "count" -> builder
                .stream(input, Consumed.with(Serdes.String(), Serdes.ByteArray()))
                .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
                .count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("counts"))
                    .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
                .toStream()
                .to(output, Produced.with(Serdes.String(), Serdes.Long()));
            case "json-map" -> builder
                .stream(input, Consumed.with(Serdes.String(), Serdes.ByteArray()))
                .mapValues(KafkaStreamsPeer::mapJson)
                .to(output, Produced.with(Serdes.String(), Serdes.ByteArray()));
            case "windowed-count" -> builder
                .stream(input, Consumed.with(Serdes.String(), Serdes.ByteArray()))
                .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(30), Duration.ofSeconds(10)))
                .count(Materialized.<String, Long>as(
                        Stores.inMemoryWindowStore("counts", Duration.ofSeconds(40), Duration.ofSeconds(30), false))
                    .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
                .toStream()
                .to(output, Produced.with(
                    WindowedSerdes.timeWindowedSerdeFrom(String.class, 30_000), Serdes.Long()));
            case "stream-join" -> {
                final KStream<String, byte[]> records =
                    builder.stream(input, Consumed.with(Serdes.String(), Serdes.ByteArray()));
                // A key comes back after 16 ms at the earliest: each record meets itself alone, so that there is one result a record.
                records.join(
                    records.mapValues(value -> value),
                    (left, right) -> left,
                    JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(10), Duration.ofSeconds(5)),
                    StreamJoined.<String, byte[], byte[]>with(
                            Stores.inMemoryWindowStore("left", Duration.ofMillis(5_020), Duration.ofMillis(20), true),
                            Stores.inMemoryWindowStore("right", Duration.ofMillis(5_020), Duration.ofMillis(20), true))
                        .withKeySerde(Serdes.String())
                        .withValueSerde(Serdes.ByteArray())
                        .withOtherValueSerde(Serdes.ByteArray()))
                    .to(output, Produced.with(Serdes.String(), Serdes.ByteArray()));
            }
            default -> throw new IllegalArgumentException("unknown topology " + topology);
        }
        final Properties properties = new Properties();
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[1]);
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[2]);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, arguments[5]);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        // One output record per input record, as in Millrace; otherwise the work of the two would differ.
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        final KafkaStreams streams = new KafkaStreams(builder.build(), properties);
        final CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close();
            ended.countDown();
        }));
        streams.start();
        ended.await();
    }

    /** Adds a field and doubles another: what Millrace's `json-map` does. */
    private static byte[] mapJson(final byte[] value) {
        try {
            final ObjectNode node = (ObjectNode) JSON.readTree(value);
            node.put("reading", node.get("reading").asInt() * 2);
            node.put("checked", true);
            return JSON.writeValueAsBytes(node);
        } catch (final IOException exception) {
            throw new UncheckedIOException(exception);
        }
    }
}
