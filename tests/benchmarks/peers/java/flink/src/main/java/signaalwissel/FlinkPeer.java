package signaalwissel;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeHint;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetIdentifier;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacetProvider;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Apache Flink: a DataStream job in a local MiniCluster, hash-map state, checkpoints, exactly-once sink. */
public final class FlinkPeer {
    private static final byte[] SOURCE = Routing.utf8("urn:nld:signaalwissel"), SPEC_VERSION = Routing.utf8("1.0"),
            TYPE = Routing.utf8("nl.vroegsignalering.signaal-gerouteerd"), CONTENT_TYPE = Routing.utf8("application/avro");
    private static final TypeInformation<byte[]> BYTES = PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO;

    private FlinkPeer() { }

    /** Match key, record, Kafka time. Flink compares byte arrays as objects, so the key is a string of the same bytes. */
    static final class Reading implements KafkaRecordDeserializationSchema<Tuple3<String, byte[], Long>> {
        @Override
        public void deserialize(ConsumerRecord<byte[], byte[]> in, Collector<Tuple3<String, byte[], Long>> out) {
            out.collect(Tuple3.of(new String(in.key(), StandardCharsets.ISO_8859_1), in.value(), in.timestamp()));
        }

        @Override
        public TypeInformation<Tuple3<String, byte[], Long>> getProducedType() {
            return Types.TUPLE(Types.STRING, BYTES, Types.LONG);
        }
    }

    /** Runs the match job over keyed state. */
    static final class Match extends KeyedProcessFunction<String, Tuple3<String, byte[], Long>, Sent> {
        private transient ValueState<byte[]> trajectories;
        private transient MapState<String, byte[]> recents;
        private transient Matcher matcher;

        @Override
        public void open(OpenContext context) {
            trajectories = getRuntimeContext().getState(new ValueStateDescriptor<>("trajectories", BYTES));
            recents = getRuntimeContext().getMapState(new MapStateDescriptor<>("recents", Types.STRING, BYTES));
            matcher = new Matcher(new OfKey(), new OfSignals(), System.getenv("POLICY_VERSION"));
        }

        @Override
        public void processElement(Tuple3<String, byte[], Long> in, Context context, Collector<Sent> out) {
            Routing.Routed routed = matcher.step(in.f0.getBytes(StandardCharsets.ISO_8859_1), in.f1, in.f2);
            if (routed == null) return;
            out.collect(new Sent(routed.followed() ? 0 : 1, routed.routeKey(), routed.route(), routed.routingId(), routed.time()));
            out.collect(new Sent(2, routed.decisionKey(), routed.decision(), null, null));
        }

        /** The state of the key at hand; the name says which key that is. */
        private final class OfKey implements Matcher.Table {
            @Override
            public byte[] get(byte[] key) {
                return unchecked(trajectories::value);
            }

            @Override
            public void put(byte[] key, byte[] value) {
                unchecked(() -> {
                    trajectories.update(value);
                    return null;
                });
            }
        }

        private final class OfSignals implements Matcher.Table {
            @Override
            public byte[] get(byte[] ref) {
                return unchecked(() -> recents.get(new String(ref, StandardCharsets.ISO_8859_1)));
            }

            @Override
            public void put(byte[] ref, byte[] value) {
                unchecked(() -> {
                    recents.put(new String(ref, StandardCharsets.ISO_8859_1), value);
                    return null;
                });
            }
        }
    }

    private static <T> T unchecked(java.util.concurrent.Callable<T> access) {
        try {
            return access.call();
        } catch (Exception failure) {
            throw new IllegalStateException("state", failure);
        }
    }

    /** A record to produce: to which of the three topics, with the id and time of its headers where it has them. */
    public static final class Sent {
        public int topic;
        public byte[] key, value, id, time;

        public Sent() { }

        Sent(int topic, byte[] key, byte[] value, byte[] id, byte[] time) {
            this.topic = topic;
            this.key = key;
            this.value = value;
            this.id = id;
            this.time = time;
        }
    }

    /** Writes records to their topics. */
    static final class Writing implements KafkaRecordSerializationSchema<Sent>, KafkaDatasetFacetProvider {
        private final String[] topics;

        /** The sink asks for the topics, so that it can use its transactional ids again. */
        @Override
        public Optional<KafkaDatasetFacet> getKafkaDatasetFacet() {
            return Optional.of(new DefaultKafkaDatasetFacet(DefaultKafkaDatasetIdentifier.ofTopics(List.of(topics))));
        }

        Writing(String... topics) {
            this.topics = topics;
        }

        @Override
        public ProducerRecord<byte[], byte[]> serialize(Sent sent, KafkaSinkContext context, Long timestamp) {
            RecordHeaders headers = new RecordHeaders();
            if (sent.id != null)
                headers.add("ce_id", sent.id).add("ce_source", SOURCE).add("ce_specversion", SPEC_VERSION)
                        .add("ce_type", TYPE).add("ce_time", sent.time).add("content-type", CONTENT_TYPE);
            return new ProducerRecord<>(topics[sent.topic], null, null, sent.key, sent.value, headers);
        }
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> env = System.getenv();
        Configuration settings = new Configuration();
        settings.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, "file://" + env.get("STATE_DIR") + "/checkpoints");
        settings.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(64));
        settings.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(64));
        settings.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(64));
        StreamExecutionEnvironment job =
                StreamExecutionEnvironment.createLocalEnvironment(Integer.parseInt(env.get("WORKERS")), settings);
        job.enableCheckpointing(Long.parseLong(env.get("COMMIT_INTERVAL_MS")));
        job.getConfig().enableObjectReuse();
        KafkaSource<Tuple3<String, byte[], Long>> source = KafkaSource.<Tuple3<String, byte[], Long>>builder()
                .setBootstrapServers(env.get("BOOTSTRAP")).setTopics(env.get("INPUT_TOPIC")).setGroupId(env.get("GROUP_ID"))
                .setStartingOffsets(OffsetsInitializer.earliest()).setProperty("isolation.level", "read_committed")
                .setProperty("max.partition.fetch.bytes", "4194304")
                .setDeserializer(new Reading()).build();
        KafkaSink<Sent> sink = KafkaSink.<Sent>builder().setBootstrapServers(env.get("BOOTSTRAP"))
                .setRecordSerializer(new Writing(env.get("FOLLOWUP_TOPIC"), env.get("REGULAR_TOPIC"), env.get("DECISIONS_TOPIC")))
                .setProperty("transaction.timeout.ms", "600000").setProperty("linger.ms", "5").setProperty("batch.size", "262144")
                .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE).setTransactionalIdPrefix(env.get("GROUP_ID"))
                .setTransactionNamingStrategy(TransactionNamingStrategy.POOLING).build();
        job.fromSource(source, WatermarkStrategy.noWatermarks(), "resident-events").keyBy(in -> in.f0)
                .process(new Match()).returns(new TypeHint<Sent>() { }).sinkTo(sink);
        job.execute("match");
    }
}
