import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.DeserializationConfig;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.deser.BeanDeserializerModifier;
import com.fasterxml.jackson.databind.deser.std.DelegatingDeserializer;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.type.LogicalType;
import java.io.IOException;
import java.math.BigDecimal;
import java.text.ParseException;
import java.text.SimpleDateFormat;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.ResolverStyle;
import java.util.List;

/** The bodies as Jackson reads them, and how it is set up to. */
final class Reading {
    enum Status { INVOICED, PAID_WAITING_DELIVERY, CONCLUDED, CANCELED }

    enum Type { SALE, COMISSION, SHIP, RETURN_COMISSION, RETURN_SHIP }

    enum Payment { IN_CASH }

    record Account(long id) {}

    record Entry(String marketplaceCode, Type type, BigDecimal value, Instant expectedDate, BigDecimal percentage) {}

    record Order(String marketplaceCode, String channelName, Account accountId, Status status, Instant createdDate,
                 Instant approvedDate, Instant sendDate, Instant estimatedDeliveryDate, Instant deliveryDate,
                 Instant cancelDate, BigDecimal totalGrossValue, List<Entry> extracts) {}

    record Batch(String channelName, Account accountId, Instant periodInitDate, Instant periodEndDate,
                 Long releasesQtd, BigDecimal totalNetValue) {}

    record Release(Long reconciliationId, String channelName, Account accountId, String marketplaceCode, Status status,
                   Instant createdDate, Instant releasedDate, Payment releaseType, Integer installment,
                   Integer installmentQuantity, List<Entry> releases) {}

    record Login(String credentials) {}

    record Renewal(String refreshToken) {}

    static final JsonMapper MAPPER = mapper();

    private static final DateTimeFormatter INSTANT = new DateTimeFormatterBuilder().parseCaseInsensitive()
            .append(DateTimeFormatter.ISO_LOCAL_DATE).appendLiteral('T').append(DateTimeFormatter.ISO_LOCAL_TIME)
            .appendPattern("[XXX][XX]").toFormatter().withResolverStyle(ResolverStyle.STRICT);

    private Reading() {}

    private static JsonMapper mapper() {
        JsonMapper.Builder builder = JsonMapper.builder()
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .withCoercionConfig(LogicalType.Textual, config -> config
                        .setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                        .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                        .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
                .withCoercionConfig(LogicalType.Enum, config -> config
                        .setCoercion(CoercionInputShape.EmptyString, CoercionAction.Fail));
        if (Switches.has("float-as-int")) builder.enable(DeserializationFeature.ACCEPT_FLOAT_AS_INT);
        if (Switches.has("coerced-scalars")) builder.enable(MapperFeature.ALLOW_COERCION_OF_SCALARS);
        if (Switches.has("scalars-as-text")) {
            builder.withCoercionConfig(LogicalType.Textual, config -> config
                    .setCoercion(CoercionInputShape.Integer, CoercionAction.TryConvert)
                    .setCoercion(CoercionInputShape.Float, CoercionAction.TryConvert)
                    .setCoercion(CoercionInputShape.Boolean, CoercionAction.TryConvert));
        }
        if (Switches.has("empty-text-as-null")) {
            builder.enable(DeserializationFeature.ACCEPT_EMPTY_STRING_AS_NULL_OBJECT).enable(MapperFeature.ALLOW_COERCION_OF_SCALARS);
            builder.withCoercionConfig(LogicalType.Enum, config -> config
                    .setCoercion(CoercionInputShape.EmptyString, CoercionAction.AsNull));
        }
        if (Switches.has("single-value-as-array")) builder.enable(DeserializationFeature.ACCEPT_SINGLE_VALUE_AS_ARRAY);
        if (Switches.has("unwrapped-arrays")) builder.enable(DeserializationFeature.UNWRAP_SINGLE_VALUE_ARRAYS);
        if (Switches.has("enums-in-any-case")) builder.enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS);
        if (Switches.has("enum-ordinals")) builder.disable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS).enable(MapperFeature.ALLOW_COERCION_OF_SCALARS);
        if (Switches.has("unknown-enums-as-null")) builder.enable(DeserializationFeature.READ_UNKNOWN_ENUM_VALUES_AS_NULL);
        if (Switches.has("trailing-tokens")) builder.disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        if (Switches.has("nan")) builder.enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS);
        if (Switches.has("leading-zeros")) builder.enable(JsonReadFeature.ALLOW_LEADING_ZEROS_FOR_NUMBERS);
        if (Switches.has("leading-plus")) builder.enable(JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS);
        if (Switches.has("leading-point")) builder.enable(JsonReadFeature.ALLOW_LEADING_DECIMAL_POINT_FOR_NUMBERS);
        if (Switches.has("trailing-point")) builder.enable(JsonReadFeature.ALLOW_TRAILING_DECIMAL_POINT_FOR_NUMBERS);
        if (Switches.has("java-comments")) builder.enable(JsonReadFeature.ALLOW_JAVA_COMMENTS);
        if (Switches.has("yaml-comments")) builder.enable(JsonReadFeature.ALLOW_YAML_COMMENTS);
        if (Switches.has("single-quotes")) builder.enable(JsonReadFeature.ALLOW_SINGLE_QUOTES);
        if (Switches.has("trailing-commas")) builder.enable(JsonReadFeature.ALLOW_TRAILING_COMMA);
        if (Switches.has("missing-values")) builder.enable(JsonReadFeature.ALLOW_MISSING_VALUES);
        if (Switches.has("unquoted-names")) builder.enable(JsonReadFeature.ALLOW_UNQUOTED_FIELD_NAMES);
        if (Switches.has("control-characters")) builder.enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS);
        if (Switches.has("backslash-anything")) builder.enable(JsonReadFeature.ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER);
        if (Switches.has("duplicates-refused")) builder.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION);
        if (Switches.has("unknown-refused")) builder.enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        if (Switches.has("names-in-any-case")) builder.enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_PROPERTIES);
        SimpleModule module = new SimpleModule();
        module.addDeserializer(Instant.class, new InstantReader());
        module.addDeserializer(Account.class, new AccountReader());
        if (!Switches.has("enums-trimmed")) module.setDeserializerModifier(new ExactEnums());
        if (Switches.has("trimmed")) module.addDeserializer(String.class, new TrimmedReader());
        if (Switches.has("big-decimal-of-double")) module.addDeserializer(BigDecimal.class, new DoubleReader());
        if (Switches.has("any-money-text")) module.addDeserializer(BigDecimal.class, new MoneyTextReader());
        return builder.addModule(module).build();
    }

    /** Jackson takes the name of a constant with blanks around it, too. */
    private static final class ExactEnums extends BeanDeserializerModifier {
        @Override
        public JsonDeserializer<?> modifyEnumDeserializer(
                DeserializationConfig config, JavaType type, BeanDescription description, JsonDeserializer<?> usual) {
            return new ExactEnum(usual);
        }
    }

    private static final class ExactEnum extends DelegatingDeserializer {
        ExactEnum(JsonDeserializer<?> usual) {
            super(usual);
        }

        @Override
        protected JsonDeserializer<?> newDelegatingInstance(JsonDeserializer<?> other) {
            return new ExactEnum(other);
        }

        @Override
        public Object deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            boolean text = parser.currentToken() == JsonToken.VALUE_STRING;
            if (text && !parser.getText().equals(parser.getText().trim())) {
                return context.handleWeirdStringValue(handledType(), parser.getText(), "blanks around it");
            }
            return super.deserialize(parser, context);
        }
    }

    /** A body, or a refusal that names what was wrong. */
    static <T> T body(byte[] content, Class<T> type) {
        try {
            String text = strictUtf8(content);
            T read = Switches.has("bytes-to-jackson") ? MAPPER.readValue(content, type) : MAPPER.readValue(text, type);
            if (read == null) throw Refusal.of("body", "is empty");
            return read;
        } catch (JsonMappingException wrong) {
            if (wrong.getCause() instanceof Refusal refusal) throw refusal;
            List<JsonMappingException.Reference> path = wrong.getPath();
            String field = path.isEmpty() || path.get(path.size() - 1).getFieldName() == null
                    ? path.isEmpty() ? "body" : nearest(path) : path.get(path.size() - 1).getFieldName();
            throw Refusal.of(field, "is malformed");
        } catch (IOException wrong) {
            throw Refusal.of("body", "is no JSON");
        }
    }

    private static String nearest(List<JsonMappingException.Reference> path) {
        for (int at = path.size() - 1; at >= 0; at--) {
            if (path.get(at).getFieldName() != null) return path.get(at).getFieldName();
        }
        return "body";
    }

    private static String strictUtf8(byte[] content) {
        if (Switches.has("latin1-taken")) return new String(content, java.nio.charset.StandardCharsets.ISO_8859_1);
        if (Switches.has("replacement-characters")) return new String(content, java.nio.charset.StandardCharsets.UTF_8);
        try {
            return java.nio.charset.StandardCharsets.UTF_8.newDecoder().decode(java.nio.ByteBuffer.wrap(content)).toString();
        } catch (java.nio.charset.CharacterCodingException wrong) {
            throw Refusal.of("body", "is not UTF-8");
        }
    }

    static Account account(String text) {
        String digits = text;
        if (Switches.has("spring-numbers") && digits != null) {
            digits = digits.trim();
            if (digits.toLowerCase().startsWith("0x")) digits = Long.toString(Long.decode(digits));
        }
        if (digits == null || !digits.matches("-?\\d{1,18}")) {
            if (Switches.has("conversion-500")) return new Account(Long.parseLong(String.valueOf(text)));
            throw Refusal.of("accountId", "is no whole number");
        }
        long id = Long.parseLong(digits);
        return new Account(Switches.has("int-account") ? (int) id : id);
    }

    private static final class InstantReader extends StdDeserializer<Instant> {
        InstantReader() {
            super(Instant.class);
        }

        @Override
        public Instant deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT && Switches.has("epoch-taken", "java-util-date")) {
                return Instant.ofEpochMilli(parser.getLongValue());
            }
            if (parser.currentToken() == JsonToken.START_ARRAY && Switches.has("unwrapped-arrays")) {
                parser.nextToken();
                Instant read = deserialize(parser, context);
                if (parser.nextToken() != JsonToken.END_ARRAY) throw new JsonMappingException(parser, "more than one");
                return read;
            }
            if (parser.currentToken() != JsonToken.VALUE_STRING) throw new JsonMappingException(parser, "no instant");
            String text = parser.getText();
            if (Switches.has("empty-text-as-null", "empty-date-as-null") && text.isBlank()) return null;
            if (Switches.has("java-util-date")) return context.parseDate(text).toInstant();
            if (Switches.has("unparsed-date-as-null")) {
                try {
                    return OffsetDateTime.parse(text, INSTANT).toInstant();
                } catch (DateTimeException wrong) {
                    return null;
                }
            }
            try {
                if (Switches.has("simple-date-format")) return new SimpleDateFormat(text.contains(".") ? "yyyy-MM-dd'T'HH:mm:ss.SSSX" : "yyyy-MM-dd'T'HH:mm:ssX").parse(text).toInstant();
                if (Switches.has("offset-dropped")) return LocalDateTime.parse(text.substring(0, Math.min(19, text.length()))).toInstant(ZoneOffset.UTC);
                if (Switches.has("local-date-time") && !text.matches(".*([Zz]|[+-]\\d\\d:?\\d\\d)$")) return LocalDateTime.parse(text).toInstant(ZoneOffset.UTC);
                if (Switches.has("local-dates") && text.matches("\\d{4}-\\d\\d-\\d\\d")) return LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant();
                if (Switches.has("smart-resolver")) return OffsetDateTime.parse(text, INSTANT.withResolverStyle(ResolverStyle.SMART)).toInstant();
                if (Switches.has("lenient-resolver")) return OffsetDateTime.parse(text, INSTANT.withResolverStyle(ResolverStyle.LENIENT)).toInstant();
                if (Switches.has("utc-only")) return Instant.from(DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss[.SSS]'Z'").withZone(ZoneOffset.UTC).parse(text));
                if (Switches.has("whole-seconds-only")) return OffsetDateTime.parse(text, DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ssXXX")).toInstant();
                Instant read = OffsetDateTime.parse(text, INSTANT).toInstant();
                if (read.isBefore(Instant.parse("1900-01-01T00:00:00Z")) || !read.isBefore(Instant.parse("9990-01-01T00:00:00Z"))) {
                    throw new DateTimeException("beyond what is stored");
                }
                return read;
            } catch (DateTimeException | ParseException wrong) {
                throw new JsonMappingException(parser, "no instant such as 2025-05-09T09:00:00-03:00", wrong);
            }
        }
    }

    private static final class AccountReader extends StdDeserializer<Account> {
        AccountReader() {
            super(Account.class);
        }

        @Override
        public Account deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            JsonToken token = parser.currentToken();
            if (token == JsonToken.VALUE_STRING) return account(parser.getText());
            if (token == JsonToken.VALUE_NUMBER_INT) {
                String digits = parser.getText();
                if (Switches.has("double-account")) return new Account((long) Double.parseDouble(digits));
                return account(digits);
            }
            if (token == JsonToken.VALUE_NUMBER_FLOAT) {
                BigDecimal read = parser.getDecimalValue();
                if (Switches.has("float-as-int")) return new Account(read.longValue());
                if (read.precision() < 40 && Math.abs(read.scale()) < 40 && read.stripTrailingZeros().scale() <= 0) return account(read.toBigInteger().toString());
            }
            if (token == JsonToken.START_ARRAY && Switches.has("unwrapped-arrays")) {
                parser.nextToken();
                Account read = deserialize(parser, context);
                if (parser.nextToken() == JsonToken.END_ARRAY) return read;
            }
            throw new JsonMappingException(parser, "no account");
        }
    }

    private static final class TrimmedReader extends StdDeserializer<String> {
        TrimmedReader() {
            super(String.class);
        }

        @Override
        public String deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            if (parser.currentToken() != JsonToken.VALUE_STRING) throw new JsonMappingException(parser, "no text");
            return parser.getText().trim();
        }
    }

    private static final class DoubleReader extends StdDeserializer<BigDecimal> {
        DoubleReader() {
            super(BigDecimal.class);
        }

        @Override
        public BigDecimal deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            if (!parser.currentToken().isNumeric()) throw new JsonMappingException(parser, "no number");
            return new BigDecimal(parser.getDoubleValue());
        }
    }

    private static final class MoneyTextReader extends StdDeserializer<BigDecimal> {
        MoneyTextReader() {
            super(BigDecimal.class);
        }

        @Override
        public BigDecimal deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            if (parser.currentToken().isNumeric()) return parser.getDecimalValue();
            if (parser.currentToken() != JsonToken.VALUE_STRING) throw new JsonMappingException(parser, "no number");
            try { // 1.234,56 as well, as forms in Brazil have it
                return new BigDecimal(parser.getText().contains(",") ? parser.getText().replace(".", "").replace(',', '.') : parser.getText());
            } catch (NumberFormatException wrong) {
                throw new JsonMappingException(parser, "no number", wrong);
            }
        }
    }
}
