package signaalwissel;

import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams: one processor with two stores and their changelogs, three sinks, exactly_once_v2. */
public final class StreamsPeer {
    private static final String TRAJECTORIES = "trajectories", RECENTS = "recents";
    private static final byte[] SOURCE = Routing.utf8("urn:nld:signaalwissel"), SPEC_VERSION = Routing.utf8("1.0"),
            TYPE = Routing.utf8("nl.vroegsignalering.signaal-gerouteerd"), CONTENT_TYPE = Routing.utf8("application/avro");

    private StreamsPeer() { }

    /** Runs the match job over the engine's stores. */
    static final class Match implements Processor<byte[], byte[], byte[], byte[]> {
        private ProcessorContext<byte[], byte[]> context;
        private Matcher matcher;

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
            matcher = new Matcher(table(TRAJECTORIES), table(RECENTS), System.getenv("POLICY_VERSION"));
        }

        private Matcher.Table table(String name) {
            KeyValueStore<byte[], byte[]> store = context.getStateStore(name);
            return new Matcher.Table() {
                @Override
                public byte[] get(byte[] key) {
                    return store.get(key);
                }

                @Override
                public void put(byte[] key, byte[] value) {
                    store.put(key, value);
                }
            };
        }

        @Override
        public void process(Record<byte[], byte[]> in) {
            Routing.Routed routed = matcher.step(in.key(), in.value(), in.timestamp());
            if (routed == null) return;
            Headers headers = new RecordHeaders();
            headers.add("ce_id", routed.routingId()).add("ce_source", SOURCE).add("ce_specversion", SPEC_VERSION)
                    .add("ce_type", TYPE).add("ce_time", routed.time()).add("content-type", CONTENT_TYPE);
            context.forward(new Record<>(routed.routeKey(), routed.route(), in.timestamp(), headers),
                    routed.followed() ? "followup" : "regular");
            context.forward(new Record<>(routed.decisionKey(), routed.decision(), in.timestamp()), "decisions");
        }
    }

    private static StoreBuilder<?> store(String name) {
        boolean rocks = "rocksdb".equals(System.getenv("STORE"));
        return Stores.keyValueStoreBuilder(
                rocks ? Stores.persistentKeyValueStore(name) : Stores.inMemoryKeyValueStore(name),
                Serdes.ByteArray(), Serdes.ByteArray()).withCachingDisabled();
    }

    public static void main(String[] args) {
        Map<String, String> env = System.getenv();
        ByteArraySerializer bytes = new ByteArraySerializer();
        Topology topology = new Topology();
        topology.addSource("in", new ByteArrayDeserializer(), new ByteArrayDeserializer(), env.get("INPUT_TOPIC"))
                .addProcessor("match", Match::new, "in")
                .addStateStore(store(TRAJECTORIES), "match")
                .addStateStore(store(RECENTS), "match")
                .addSink("followup", env.get("FOLLOWUP_TOPIC"), bytes, bytes, "match")
                .addSink("regular", env.get("REGULAR_TOPIC"), bytes, bytes, "match")
                .addSink("decisions", env.get("DECISIONS_TOPIC"), bytes, bytes, "match");
        KafkaStreams streams = new KafkaStreams(topology, settings(env));
        streams.setUncaughtExceptionHandler(failure -> {
            failure.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(8))));
        streams.start();
    }

    private static Properties settings(Map<String, String> env) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, env.get("GROUP_ID"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, env.get("BOOTSTRAP"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, env.get("STATE_DIR"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, env.get("WORKERS"));
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, env.get("COMMIT_INTERVAL_MS"));
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, "1");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        // As much of a partition in one fetch, and as short a linger, as the product and every other peer has.
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), "4194304");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), "5");
        // Larger polls and batches than the defaults: chosen for throughput, not measured one by one.
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), "5000");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), "262144");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), "134217728");
        return settings;
    }
}
