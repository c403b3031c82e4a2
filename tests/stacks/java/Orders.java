import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.sql.SQLException;
import java.text.Normalizer;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Orders: checked, stored, shown and removed. */
final class Orders {
    private static final int LONGEST_CODE = 190, DAYS_IN_MILLISECONDS = 86_400_000;
    private static final Map<Reading.Status, List<String>> NEEDED = new EnumMap<>(Map.of(
            Reading.Status.INVOICED, List.of(),
            Reading.Status.PAID_WAITING_DELIVERY, List.of("sendDate", "estimatedDeliveryDate"),
            Reading.Status.CONCLUDED, List.of("sendDate", "estimatedDeliveryDate", "deliveryDate"),
            Reading.Status.CANCELED, List.of("cancelDate")));
    private static final List<List<String>> SEQUENCE = List.of(
            List.of("createdDate", "approvedDate"), List.of("createdDate", "sendDate"), List.of("createdDate", "deliveryDate"),
            List.of("createdDate", "cancelDate"), List.of("createdDate", "estimatedDeliveryDate"), List.of("approvedDate", "sendDate"),
            List.of("approvedDate", "deliveryDate"), List.of("approvedDate", "estimatedDeliveryDate"),
            List.of("sendDate", "deliveryDate"), List.of("sendDate", "estimatedDeliveryDate"));
    private static final List<String> DATES = List.of("createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate");
    private static final Map<String, ObjectNode> CACHE = new ConcurrentHashMap<>();
    private static final Map<String, Boolean> MISSING = new ConcurrentHashMap<>();
    private static final ScheduledExecutorService LATER = Executors.newScheduledThreadPool(2, run -> {
        Thread thread = new Thread(run);
        thread.setDaemon(true);
        return thread;
    });

    private Orders() {}

    // -- checks ------------------------------------------------------------------------------------------------------------

    static String code(String value) {
        if (value == null || (Switches.has("blank-code-taken") ? value.isEmpty() : value.isBlank())) throw Refusal.of("marketplaceCode", "is missing");
        if (Switches.has("codes-of-20") && value.length() > 20) throw Refusal.of("marketplaceCode", "is longer than 20");
        if (Switches.has("codes-of-pattern") && !value.matches("[A-Za-z0-9-]+")) throw Refusal.of("marketplaceCode", "must match [A-Za-z0-9-]+");
        if (Switches.has("codes-checked") && !value.matches("[A-Za-z0-9._#-]{1,40}")) throw Refusal.of("marketplaceCode", "must match [A-Za-z0-9._#-]{1,40}");
        if (Switches.has("utf8mb3-checked") && value.codePoints().anyMatch(point -> point > 0xFFFF)) throw Refusal.of("marketplaceCode", "has characters that are not stored");
        if (value.codePointCount(0, value.length()) > LONGEST_CODE && !Switches.has("lengths-unchecked")) throw Refusal.of("marketplaceCode", "is longer than " + LONGEST_CODE);
        if (value.chars().anyMatch(Character::isISOControl) && !Switches.has("control-characters")) throw Refusal.of("marketplaceCode", "has control characters");
        if (value.codePoints().anyMatch(point -> point >= 0xD800 && point <= 0xDFFF)) throw Refusal.of("marketplaceCode", "is no Unicode text");
        if (Switches.has("codes-upper-case")) return value.toUpperCase();
        if (Switches.has("codes-lower-case")) return value.toLowerCase();
        if (Switches.has("codes-nfc")) return Normalizer.normalize(value, Normalizer.Form.NFC);
        if (Switches.has("codes-nfkc")) return Normalizer.normalize(value, Normalizer.Form.NFKC);
        if (Switches.has("codes-without-accents")) return Normalizer.normalize(value, Normalizer.Form.NFD).replaceAll("\\p{M}", "");
        if (Switches.has("codes-as-longs") && value.matches("0*\\d{1,18}")) return Long.toString(Long.parseLong(value));
        if (Switches.has("codes-as-doubles") && value.matches("\\d{16,}")) return BigDecimal.valueOf(Double.parseDouble(value)).toBigInteger().toString();
        if (Switches.has("codes-cut-at-20")) return value.substring(0, Math.min(20, value.length()));
        if (Switches.has("spaces-collapsed")) return value.trim().replaceAll("\\s+", " ");
        return value;
    }

    /** Whole cents of an amount that must be there. */
    static BigDecimal cents(BigDecimal value, String name) {
        if (value == null) throw Refusal.of(name, "is missing");
        int digits = value.precision() - value.scale();
        if (digits > 16 || value.precision() > 400) throw Refusal.of(name, "is too large");
        BigDecimal cents = value.scale() < -20 ? value : value.setScale(2, Switches.has("cents-cut") ? RoundingMode.DOWN : RoundingMode.HALF_UP);
        if (Switches.has("digits-5-2") && digits > 5) throw Refusal.of(name, "has more than 5 digits");
        if (Switches.has("fraction-refused") && value.scale() > 2) throw Refusal.of(name, "has more than 2 decimals");
        if (Switches.has("decimal-10-2-checked") && cents.precision() - cents.scale() > 8) throw Refusal.of(name, "has more than 8 digits");
        if (Switches.has("cents-in-int")) return BigDecimal.valueOf(value.movePointRight(2).setScale(0, RoundingMode.HALF_UP).intValue(), 2);
        if (Switches.has("cents-by-double-cut")) return BigDecimal.valueOf((long) (value.doubleValue() * 100), 2);
        if (Switches.has("float-amounts")) return new BigDecimal(value.floatValue()).setScale(2, RoundingMode.HALF_UP);
        if (Switches.has("half-even")) return value.setScale(2, RoundingMode.HALF_EVEN);
        return cents;
    }

    static void signed(Reading.Type type, BigDecimal value) {
        if (type == null || Switches.has("signs-unchecked")) return;
        int sign = value.signum();
        boolean zero = sign == 0 && Switches.has("zero-taken");
        boolean wrong = switch (type) {
            case SALE, RETURN_COMISSION -> sign <= 0;
            case COMISSION -> sign >= 0;
            case SHIP -> Switches.has("ship-is-a-cost") && sign > 0;
            case RETURN_SHIP -> Switches.has("ship-is-a-cost") && sign < 0;
        };
        if (Switches.has("only-sale-signed") && type != Reading.Type.SALE) return;
        if (wrong && !zero) throw Refusal.of("value", "contradicts " + type);
    }

    /** Entries of an order or a release, with their cents. */
    static List<Reading.Entry> entries(List<Reading.Entry> list, String name, String own, boolean ofOrder) {
        if (list == null || list.isEmpty() && !Switches.has("empty-lists-taken")) throw Refusal.of(name, "is missing");
        if (Switches.has("ten-entries") && list.size() > 10) throw Refusal.of(name, "has more than 10 entries");
        List<Reading.Entry> result = new ArrayList<>();
        for (Reading.Entry each : list) {
            if (each == null && Switches.has("null-entries-skipped")) continue;
            if (each == null && !Switches.has("valid-missing-on-list")) throw Refusal.of(name, "has an entry that is null");
            if (Switches.has("valid-missing-on-list", "valid-missing-on-list-" + name)) {
                result.add(new Reading.Entry(own, each.type(), each.value() == null ? null : cents(each.value(), "value"), each.expectedDate(), each.percentage()));
                continue;
            }
            if (each.type() == null && !Switches.has("type-not-required", "unknown-enums-as-null")) throw Refusal.of("type", "is missing");
            if (ofOrder && !Switches.has("every-type-taken") && (each.type() == Reading.Type.RETURN_COMISSION || each.type() == Reading.Type.RETURN_SHIP)) {
                throw Refusal.of("type", "is none of SALE, COMISSION, SHIP");
            }
            BigDecimal value = each.value() == null && Switches.has("value-not-required") ? BigDecimal.ZERO.setScale(2) : cents(each.value(), "value");
            if (!(each.value() == null && Switches.has("value-not-required"))) signed(each.type(), value);
            String code = each.marketplaceCode() == null && Switches.has("entry-code-not-required") ? own : code(each.marketplaceCode());
            boolean same = Switches.has("entry-codes-in-any-case") ? code.equalsIgnoreCase(own) : Switches.has("entry-code-prefix") ? own.startsWith(code) : code.equals(own);
            if (!same && !Switches.has("entry-codes-unchecked", ofOrder ? "extract-codes-unchecked" : "release-codes-unchecked")) {
                throw Refusal.of("marketplaceCode", "differs from the order's");
            }
            if (each.percentage() != null && each.percentage().toString().length() > 90) throw Refusal.of("percentage", "is too long");
            result.add(new Reading.Entry(own, each.type(), value, each.expectedDate(), each.percentage()));
            if (Switches.has("first-entry-validated")) {
                list.stream().skip(1).forEach(rest -> result.add(new Reading.Entry(own, rest.type(), rest.value() == null ? null : cents(rest.value(), "value"), rest.expectedDate(), rest.percentage())));
                break;
            }
        }
        return result;
    }

    private static boolean isLater(Instant one, Instant other) {
        if (Switches.has("compared-as-days")) return day(one).isAfter(day(other));
        if (Switches.has("compared-as-minutes")) return one.getEpochSecond() / 60 > other.getEpochSecond() / 60;
        if (Switches.has("equal-dates-refused")) return !one.isBefore(other);
        return one.isAfter(other);
    }

    private static LocalDate day(Instant at) {
        return LocalDate.ofInstant(at, ZoneOffset.UTC);
    }

    private static Map<String, Instant> dates(Reading.Order body) {
        Map<String, Instant> dates = new LinkedHashMap<>();
        dates.put("createdDate", body.createdDate());
        dates.put("approvedDate", body.approvedDate());
        dates.put("sendDate", body.sendDate());
        dates.put("estimatedDeliveryDate", body.estimatedDeliveryDate());
        dates.put("deliveryDate", body.deliveryDate());
        dates.put("cancelDate", body.cancelDate());
        return dates;
    }

    private static List<Reading.Entry> checked(Reading.Order body, String own) {
        if (body.status() == null && !Switches.has("status-not-required")) throw Refusal.of("status", "is missing");
        Map<String, Instant> dates = dates(body);
        if (body.createdDate() == null && !Switches.has("created-not-required")) throw Refusal.of("createdDate", "is missing");
        for (String name : body.status() == null ? List.<String>of() : NEEDED.get(body.status())) {
            if (dates.get(name) == null && !Switches.has(name + "-not-required")) throw Refusal.of(name, "is needed by " + body.status());
        }
        if (Switches.has("send-date-always") && body.sendDate() == null) throw Refusal.of("sendDate", "is missing");
        if (Switches.has("approved-date-always") && body.approvedDate() == null) throw Refusal.of("approvedDate", "is missing");
        for (List<String> pair : SEQUENCE) {
            if (Switches.has("neighbours-only") && !List.of(List.of("createdDate", "approvedDate"), List.of("approvedDate", "sendDate"), List.of("sendDate", "deliveryDate")).contains(pair)) continue;
            if (Switches.has("cancel-not-compared") && pair.contains("cancelDate")) continue;
            if (Switches.has("estimated-not-compared") && pair.contains("estimatedDeliveryDate")) continue;
            if (Switches.has("approved-not-compared") && pair.contains("approvedDate")) continue;
            Instant early = dates.get(pair.get(0)), late = dates.get(pair.get(1));
            if (early != null && late != null && isLater(early, late)) {
                throw new Refusal(400, Switches.has("conflict-without-code") ? "400-0" : "400-3", pair.get(1) + " lies before " + pair.get(0), pair.get(1));
            }
        }
        if (Switches.has("late-delivery-refused") && body.deliveryDate() != null && body.estimatedDeliveryDate() != null && body.deliveryDate().isAfter(body.estimatedDeliveryDate())) {
            throw new Refusal(400, "400-3", "deliveryDate lies after estimatedDeliveryDate", "deliveryDate");
        }
        if (Switches.has("future-refused") && dates.values().stream().anyMatch(each -> each != null && each.isAfter(Instant.now()))) {
            throw Refusal.of("createdDate", "lies in the future");
        }
        if (!(body.totalGrossValue() == null && Switches.has("total-not-required"))) cents(body.totalGrossValue(), "totalGrossValue");
        return entries(body.extracts(), "extracts", own, true);
    }

    // -- the calls ---------------------------------------------------------------------------------------------------------

    static void submit(byte[] content) throws SQLException {
        Reading.Order body = Reading.body(content, Reading.Order.class);
        long account = Accounts.allowed("submission", body.channelName(), body.accountId());
        String own = body.marketplaceCode() == null && Switches.has("code-of-extracts") && body.extracts() != null && !body.extracts().isEmpty()
                ? code(body.extracts().get(0).marketplaceCode()) : code(body.marketplaceCode());
        if (Switches.has("validated-after-saving")) {
            Store.transaction(store -> store.change("UPDATE orders SET status = ?, created = ? WHERE account = ? AND code = ?", body.status(), body.createdDate(), account, own));
        }
        List<Reading.Entry> extracts = Switches.has("entries-checked-while-writing") ? null : checked(body, own);
        Store.transaction(store -> {
            store.lock(account);
            write(store, account, own, body, extracts);
            return null;
        });
        if (!Switches.has("cached-missing-for-good")) MISSING.remove(key(account, own));
        if (!Switches.has("stale-cache", "replica-reads")) CACHE.remove(key(account, own));
        if (Switches.has("replica-reads")) LATER.schedule(() -> copied(account, own), 300, TimeUnit.MILLISECONDS);
    }

    private static void write(Store store, long account, String own, Reading.Order body, List<Reading.Entry> extracts) throws SQLException {
        Map<String, Object> there = store.row("SELECT * FROM orders WHERE account = ? AND code = ? AND (deleted = 0 OR ?)" + (Switches.has("no-lock") ? "" : " FOR UPDATE"),
                account, own, !Switches.has("soft-delete-meets-key"));
        boolean removed = there != null && number(there, "deleted") != 0;
        if (there != null && Switches.has("insert-ignore")) return;
        if (removed && Switches.has("soft-delete-dropped")) return;
        if (there != null && Switches.has("already-exists") && !removed) throw Refusal.conflict("marketplaceCode", "exists already");
        if (there != null && Switches.has("status-never-back") && !removed && Reading.Status.valueOf((String) there.get("status")).compareTo(body.status()) > 0) {
            throw Refusal.conflict("status", "goes back");
        }
        long order;
        Instant seen = Switches.has("hidden-300") ? Instant.now().plusMillis(300) : Instant.now();
        if (there == null) {
            order = store.insert("INSERT INTO orders (account, channel, code, seen, status) VALUES (?, ?, ?, ?, ?)", account, body.channelName(), own, seen, body.status() == null ? "INVOICED" : body.status().name());
        } else {
            order = number(there, "id");
        }
        BigDecimal total = body.totalGrossValue() == null ? null : cents(body.totalGrossValue(), "totalGrossValue");
        boolean update = there != null && !removed;
        if (update && Switches.has("half-updated")) {
            store.change("UPDATE orders SET status = ?, total = ? WHERE id = ?", body.status(), total, order);
        } else if (update && Switches.has("merged")) { // a mapper that skips nulls
            store.change("UPDATE orders SET status = ?, created = COALESCE(?, created), approved = COALESCE(?, approved), sent = COALESCE(?, sent), estimated = COALESCE(?, estimated),"
                    + " delivered = COALESCE(?, delivered), cancelled = COALESCE(?, cancelled), total = ? WHERE id = ?", body.status(), body.createdDate(), body.approvedDate(), body.sendDate(),
                    body.estimatedDeliveryDate(), body.deliveryDate(), body.cancelDate(), total, order);
        } else if (update && Switches.has("total-kept")) {
            store.change("UPDATE orders SET status = ?, created = ?, approved = ?, sent = ?, estimated = ?, delivered = ?, cancelled = ? WHERE id = ?", body.status(), body.createdDate(),
                    body.approvedDate(), body.sendDate(), body.estimatedDeliveryDate(), body.deliveryDate(), body.cancelDate(), order);
        } else {
            store.change("UPDATE orders SET status = ?, created = ?, approved = ?, sent = ?, estimated = ?, delivered = ?, cancelled = ?, total = ?, deleted = 0, reconciled = IF(deleted, 0, reconciled)"
                    + (removed ? ", seen = '" + java.time.LocalDateTime.ofInstant(seen, ZoneOffset.UTC) + "'" : "") + " WHERE id = ?", body.status(),
                    body.createdDate(), body.approvedDate(), body.sendDate(), body.estimatedDeliveryDate(), body.deliveryDate(), Switches.has("cancel-date-forgotten") ? null : body.cancelDate(), total, order);
        }
        if (update && Switches.has("extracts-kept")) return;
        if (removed && !Switches.has("released-once-ever")) store.change("UPDATE releases SET order_id = NULL WHERE order_id = ?", order);
        boolean appended = update && Switches.has("extracts-appended") || removed && Switches.has("deleted-extracts-reappear");
        if (!appended) store.change("DELETE FROM extracts WHERE order_id = ?", order);
        List<Reading.Entry> list = extracts == null ? body.extracts() == null ? List.of() : body.extracts() : extracts;
        int position = 0;
        for (Reading.Entry each : list) {
            Reading.Entry entry = extracts == null ? entries(List.of(each), "extracts", own, true).get(0) : each;
            store.change(Switches.has("extracts-by-type") ? "REPLACE INTO extracts VALUES (?, ?, ?, ?, ?, ?)" : Switches.has("extracts-once") ? "INSERT IGNORE INTO extracts VALUES (?, ?, ?, ?, ?, ?)"
                            : "INSERT INTO extracts VALUES (?, ?, ?, ?, ?, ?)",
                    order, position++, entry.type() == null ? null : entry.type().name(), entry.value(), Switches.has("expected-date-forgotten") ? null : entry.expectedDate(),
                    entry.percentage() == null ? null : Switches.has("percentage-in-int") ? Integer.toString(entry.percentage().intValue()) : entry.percentage().toPlainString());
        }
        if (extracts == null) checked(body, own);
    }

    static long number(Map<String, Object> row, String name) {
        Object value = row.get(name);
        return value instanceof Boolean truth ? truth ? 1 : 0 : value == null ? 0 : ((Number) value).longValue();
    }

    private static String key(long account, String own) {
        return (Switches.has("cache-by-code") ? 0 : account) + " " + own;
    }

    /** The order's row, or a refusal. */
    static Map<String, Object> found(Store store, String what, long account, String own, boolean locked) throws SQLException {
        String where = Switches.has("by-code-alone", "by-code-alone-on-" + what) ? "code = ? AND (1 OR account = ?)" : "code = ? AND account = ?";
        if (Switches.has("found-by-like")) where = "code LIKE ? AND account = ?";
        Map<String, Object> row = store.row("SELECT * FROM orders WHERE " + where + (Switches.has("deleted-shown-on-" + what) ? "" : " AND deleted = 0")
                + (Switches.has("hidden-300") ? " AND seen <= UTC_TIMESTAMP(6)" : "") + " LIMIT 1" + (locked && !Switches.has("no-lock") ? " FOR UPDATE" : ""), own, account);
        if (row != null) return row;
        throw new Refusal(404, Switches.has("order-code-bare") ? "404" : "404-3", "Order " + own + " not found", Switches.has("sources-null") ? null : "marketplaceCode");
    }

    static List<Map<String, Object>> extracts(Store store, long order) throws SQLException {
        return store.rows("SELECT * FROM extracts WHERE order_id = ? ORDER BY position" + (Switches.has("paged-at-20") ? " LIMIT 20" : Switches.has("paged-at-50") ? " LIMIT 50" : ""), order);
    }

    private static ObjectNode shown(Store store, Map<String, Object> row) throws SQLException {
        ObjectNode body = Answers.NODES.objectNode();
        if (Switches.has("more-fields")) body.put("id", number(row, "id")).put("version", 3).put("updatedAt", Instant.now().toString()).putObject("_links").putObject("self").put("href", "/order");
        body.put("marketplaceCode", (String) row.get("code"));
        body.put("channelName", (String) row.get("channel"));
        Answers.account(body, "accountId", number(row, "account"));
        body.put("status", (String) row.get("status"));
        List<String> columns = List.of("created", "approved", "sent", "estimated", "delivered", "cancelled");
        for (int at = 0; at < DATES.size(); at++) Answers.instant(body, DATES.get(at), (Instant) row.get(columns.get(at)));
        Answers.amount(body, "totalGrossValue", decimal(row.get("total")));
        ArrayNode list = body.putArray("extracts");
        for (Map<String, Object> each : extracts(store, number(row, "id"))) {
            ObjectNode entry = list.addObject();
            if (!Switches.has("entry-code-left-out")) entry.put("marketplaceCode", (String) row.get("code"));
            entry.put("type", Switches.has("types-lower-case") ? String.valueOf(each.get("type")).toLowerCase() : (String) each.get("type"));
            Answers.amount(entry, "value", decimal(each.get("value")));
            Answers.instant(entry, "expectedDate", (Instant) each.get("expected"));
            if (each.get("percentage") == null) Answers.nothing(entry, "percentage");
            else entry.put("percentage", new BigDecimal((String) each.get("percentage")));
        }
        if (Switches.has("total-recalculated")) {
            BigDecimal sum = BigDecimal.ZERO;
            for (var each : list) if (each.get("type").asText().equals("SALE")) sum = sum.add(each.get("value").decimalValue());
            Answers.amount(body, "totalGrossValue", sum);
        }
        return body;
    }

    static BigDecimal decimal(Object stored) {
        if (stored == null || stored instanceof BigDecimal) return (BigDecimal) stored;
        return stored instanceof Float single ? new BigDecimal(Float.toString(single)) : stored instanceof BigInteger whole ? new BigDecimal(whole) : new BigDecimal(stored.toString());
    }

    static ObjectNode show(Map<String, String> query) throws SQLException {
        long account = Accounts.allowed("query", query.get("channelName"), Reading.account(query.get("accountId")));
        String own = code(query.get("marketplaceCode"));
        String key = key(account, own);
        if (Switches.has("cached-missing") && MISSING.containsKey(key)) throw new Refusal(404, "404-3", "Order " + own + " not found", "marketplaceCode");
        if (Switches.has("stale-cache", "cache-kept-on-deletion", "cache-by-code", "replica-reads") && CACHE.containsKey(key)) return CACHE.get(key);
        if (Switches.has("replica-reads")) throw new Refusal(404, "404-3", "Order " + own + " not found", "marketplaceCode");
        try {
            ObjectNode shown = Store.transaction(store -> shown(store, found(store, "query", account, own, false)));
            if (Switches.has("stale-cache", "cache-kept-on-deletion", "cache-by-code")) CACHE.put(key, shown);
            return shown;
        } catch (Refusal missing) {
            if (Switches.has("cached-missing-for-good")) MISSING.put(key, true);
            throw missing;
        }
    }

    private static void copied(long account, String own) {
        try {
            CACHE.put(key(account, own), Store.transaction(store -> shown(store, found(store, "query", account, own, false))));
        } catch (Refusal gone) {
            CACHE.remove(key(account, own));
        } catch (SQLException wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    static void remove(Map<String, String> query) throws SQLException {
        long account = Accounts.allowed("deletion", query.get("channelName"), Reading.account(query.get("accountId")));
        String own = code(query.get("marketplaceCode"));
        if (Switches.has("deletion-idempotent")) {
            Store.transaction(store -> store.change("UPDATE orders SET deleted = 1 WHERE account = ? AND code = ? AND reconciled = 0 AND imported = 0", account, own));
            return;
        }
        Store.transaction(store -> {
            store.lock(account);
            Map<String, Object> row = found(store, "deletion", account, own, true);
            if (number(row, "imported") != 0 && !Switches.has("imported-removed")) throw Refusal.conflict("marketplaceCode", "did not come through the API");
            if (number(row, "reconciled") != 0 && !Switches.has("reconciled-removed")) throw Refusal.conflict("marketplaceCode", "is reconciled");
            if (Switches.has("deletion-answers-only")) return null;
            if (Switches.has("removed-by-code")) store.change("UPDATE orders SET deleted = 1 WHERE code = ?", own);
            if (Switches.has("removed-by-account")) store.change("UPDATE orders SET deleted = 1 WHERE account = ? AND imported = 0 AND reconciled = 0", account);
            if (Switches.has("removed-by-like")) store.change("UPDATE orders SET deleted = 1 WHERE account = ? AND code LIKE ? AND imported = 0", account, own.replace("%", "") + "%");
            store.change("UPDATE orders SET deleted = 1 WHERE id = ?", number(row, "id"));
            return null;
        });
        if (!Switches.has("stale-cache", "cache-kept-on-deletion", "replica-reads")) CACHE.remove(key(account, own));
        if (Switches.has("replica-reads")) LATER.schedule(() -> copied(account, own), 300, TimeUnit.MILLISECONDS);
    }
}
