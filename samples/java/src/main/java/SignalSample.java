import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Publishes one early-warning signal with Kafka's own client and Apache Avro.
 *
 * <p>Arguments: BOOTSTRAP TOPIC SCHEMAS SIGNAL_ID. SCHEMAS is the folder with the published schemas ({@code schemas/} of this
 * repository). Where SCHEMA_REGISTRY_URL is set, the schema id comes from that registry.
 */
public final class SignalSample {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] given) throws Exception {
        String bootstrap = given[0];
        String topic = given[1];
        Path schemas = Path.of(given[2]);
        String signalId = given[3];
        Schema schema = new Schema.Parser().parse(schemas.resolve("EarlySignal.v1.avsc").toFile());
        Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        byte[] key = text("water-west/" + signalId);
        var record = new ProducerRecord<>(topic, key, wire(schemaId(topic, schemas), signal(schema, signalId, now)));
        record.headers()
                .add("ce_id", key)
                .add("ce_source", text("urn:example:water-west"))
                .add("ce_specversion", text("1.0"))
                .add("ce_type", text("nl.vroegsignalering.signaal-ontvangen"))
                .add("ce_time", text(now.toString()))
                .add("content-type", text("application/avro"));
        Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "acks", "all", "enable.idempotence", true);
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(record).get();
        }
        System.out.println("published " + signalId + " on " + topic);
    }

    private static GenericRecord signal(Schema schema, String signalId, Instant now) {
        Schema partner = schema.getField("partner").schema();
        Schema subject = schema.getField("subject").schema();
        return new GenericRecordBuilder(schema)
                .set("signal_id", signalId)
                .set("municipality", "0344")
                .set("partner", new GenericRecordBuilder(partner)
                        .set("partner_id", "water-west")
                        .set("kind", new GenericData.EnumSymbol(partner.getField("kind").schema(), "WATER"))
                        .build())
                .set("subject", new GenericRecordBuilder(subject).set("bsn", "999990019").build())
                .set("arrears", decimal("182.40"))
                .set("received_at", now.toEpochMilli())
                .set("crisis", false)
                .set("warm_transfer", false)
                .set("collection_effort_attested", true)
                .build();
    }

    /** A decimal(12,2) is its number of cents, as a big-endian integer in two's complement. */
    private static ByteBuffer decimal(String euros) {
        return ByteBuffer.wrap(new BigDecimal(euros).setScale(2).unscaledValue().toByteArray());
    }

    /** Byte 0, the id in four bytes, the Avro body. */
    private static byte[] wire(int id, GenericRecord record) throws IOException {
        var out = new ByteArrayOutputStream();
        out.write(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<GenericRecord>(record.getSchema()).write(record, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    /** The id under which readers find the schema: the registry's where there is one, otherwise the fixed one. */
    private static int schemaId(String topic, Path schemas) throws IOException, InterruptedException {
        String registry = System.getenv("SCHEMA_REGISTRY_URL");
        if (registry == null) {
            return JSON.readTree(schemas.resolve("ids.json").toFile()).get("EarlySignal.v1").intValue();
        }
        URI latest = URI.create(registry + "/subjects/" + topic + "-value/versions/latest");
        var asked = HttpRequest.newBuilder(latest).build();
        String answer = HttpClient.newHttpClient().send(asked, HttpResponse.BodyHandlers.ofString()).body();
        return JSON.readTree(answer).get("id").intValue();
    }

    private static byte[] text(String content) {
        return content.getBytes(StandardCharsets.UTF_8);
    }

    private SignalSample() {}
}
