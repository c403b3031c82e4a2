import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** What goes out: JSON as Jackson writes it, amounts and instants in the spellings of such services. */
final class Answers {
    static final JsonNodeFactory NODES = JsonNodeFactory.withExactBigDecimals(!Switches.has("stripped-decimals"));
    private static final JsonMapper WRITER = writer();
    private static final Map<String, DateTimeFormatter> SPELLINGS = Map.of(
            "dates-in-sao-paulo", DateTimeFormatter.ISO_OFFSET_DATE_TIME.withZone(ZoneId.of("America/Sao_Paulo")),
            "dates-in-tokyo", DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSXXX").withZone(ZoneId.of("Asia/Tokyo")),
            "dates-with-nanos", DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSS'Z'").withZone(ZoneOffset.UTC),
            "dates-without-colon", DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSxx").withZone(ZoneOffset.UTC),
            "dates-short-offset", DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ssx").withZone(ZoneOffset.ofHours(-3)),
            "shown-without-offset", DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss").withZone(ZoneOffset.UTC),
            "shown-as-dates", DateTimeFormatter.ofPattern("uuuu-MM-dd").withZone(ZoneOffset.UTC),
            "zulu-in-local-time", DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneId.of("America/Sao_Paulo")),
            "twelve-hours", DateTimeFormatter.ofPattern("uuuu-MM-dd'T'hh:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC),
            "minutes-for-months", DateTimeFormatter.ofPattern("uuuu-mm-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC));

    private Answers() {}

    private static JsonMapper writer() {
        JsonMapper.Builder builder = JsonMapper.builder();
        if (Switches.has("plain-decimals")) builder.enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN);
        if (Switches.has("numbers-as-text")) builder.enable(JsonGenerator.Feature.WRITE_NUMBERS_AS_STRINGS);
        if (Switches.has("ascii-only")) builder.enable(JsonWriteFeature.ESCAPE_NON_ASCII);
        if (Switches.has("pretty-printed")) builder.enable(SerializationFeature.INDENT_OUTPUT);
        return builder.build();
    }

    static byte[] bytes(JsonNode body) {
        try {
            return WRITER.writeValueAsBytes(body instanceof ObjectNode fields && Switches.has("shuffled-fields") ? shuffled(fields) : body);
        } catch (JsonProcessingException wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    private static ObjectNode shuffled(ObjectNode fields) {
        List<String> names = new ArrayList<>();
        fields.fieldNames().forEachRemaining(names::add);
        Collections.shuffle(names);
        ObjectNode result = NODES.objectNode();
        names.forEach(name -> result.set(name, fields.get(name)));
        return result;
    }

    static void account(ObjectNode body, String name, long id) {
        if (Switches.has("account-as-text")) body.put(name, Long.toString(id));
        else body.put(name, id);
    }

    static void amount(ObjectNode body, String name, BigDecimal value) {
        if (value == null) nothing(body, name);
        else if (Switches.has("shown-as-float")) body.put(name, value.floatValue());
        else if (Switches.has("shown-as-double")) body.put(name, value.doubleValue());
        else if (Switches.has("scientific-decimals")) body.put(name, value.stripTrailingZeros());
        else if (Switches.has("ten-decimals")) body.put(name, value.setScale(10, RoundingMode.HALF_UP));
        else if (Switches.has("shown-in-cents")) body.put(name, value.movePointRight(2).longValue());
        else if (Switches.has("shown-truncated")) body.put(name, value.setScale(1, RoundingMode.DOWN));
        else if (Switches.has("shown-absolute")) body.put(name, value.abs());
        else body.put(name, value);
    }

    static void instant(ObjectNode body, String name, Instant at) {
        if (at == null) {
            nothing(body, name);
        } else if (Switches.has("shown-as-timestamps")) {
            body.put(name, BigDecimal.valueOf(at.toEpochMilli(), 3).setScale(9));
        } else if (Switches.has("shown-as-milliseconds")) {
            body.put(name, at.toEpochMilli());
        } else if (Switches.has("dates-of-offset-date-time")) {
            body.put(name, at.atOffset(ZoneOffset.UTC).toString());
        } else if (Switches.has("whole-seconds")) {
            body.put(name, at.truncatedTo(ChronoUnit.SECONDS).toString());
        } else {
            String spelling = SPELLINGS.keySet().stream().filter(Switches::has).findFirst().orElse(null);
            body.put(name, spelling == null ? at.toString() : SPELLINGS.get(spelling).format(at));
        }
    }

    static void nothing(ObjectNode body, String name) {
        if (!Switches.has("nulls-left-out")) body.putNull(name);
    }
}
