import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Reconciliations and their releases. */
final class Batches {
    private static final ScheduledExecutorService LATER = Executors.newScheduledThreadPool(2, run -> {
        Thread thread = new Thread(run);
        thread.setDaemon(true);
        return thread;
    });

    private Batches() {}

    static ObjectNode create(byte[] content) throws SQLException {
        Reading.Batch body = Reading.body(content, Reading.Batch.class);
        long account = Accounts.allowed("reconciliation", body.channelName(), body.accountId());
        if (Switches.has("saved-then-checked")) return Store.transaction(store -> saved(store, account, body));
        checked(body);
        return Store.transaction(store -> {
            store.lock(account);
            placed(store, account, body);
            return saved(store, account, body);
        });
    }

    private static void checked(Reading.Batch body) {
        Instant init = body.periodInitDate(), end = body.periodEndDate();
        if (init == null && !Switches.has("init-not-required")) throw Refusal.of("periodInitDate", "is missing");
        if (end == null && !Switches.has("end-not-required")) throw Refusal.of("periodEndDate", "is missing");
        if (init != null && end != null) {
            boolean wrong = Switches.has("equal-periods-taken") ? init.isAfter(end) : Switches.has("periods-by-day") ? !day(init).isBefore(day(end)) : !init.isBefore(end);
            if (wrong && !Switches.has("period-order-unchecked")) throw Refusal.of("periodEndDate", "is not after periodInitDate");
        }
        if (body.releasesQtd() == null && !Switches.has("quantity-not-required")) throw Refusal.of("releasesQtd", "is missing");
        if (body.releasesQtd() != null && body.releasesQtd() < (Switches.has("quantity-zero-taken") ? 0 : Switches.has("quantity-any-sign") ? Long.MIN_VALUE : 1)) {
            throw Refusal.of("releasesQtd", "is not positive");
        }
        if (body.releasesQtd() != null && body.releasesQtd() > Integer.MAX_VALUE && !Switches.has("quantity-in-int")) throw Refusal.of("releasesQtd", "is too large");
        if (!(body.totalNetValue() == null && Switches.has("net-not-required"))) Orders.cents(body.totalNetValue(), "totalNetValue");
        if (Switches.has("net-positive") && body.totalNetValue().signum() <= 0) throw Refusal.of("totalNetValue", "is not positive");
    }

    private static LocalDate day(Instant at) {
        return LocalDate.ofInstant(at, ZoneOffset.UTC);
    }

    private static void placed(Store store, long account, Reading.Batch body) throws SQLException {
        if (!Switches.has("several-active")) {
            Map<String, Object> active = Switches.has("active-per-channel")
                    ? store.row("SELECT id FROM reconciliations WHERE channel = ? AND active = 1 LIMIT 1", body.channelName())
                    : store.row("SELECT id FROM reconciliations WHERE account = ? AND active = 1 LIMIT 1", account);
            if (active != null) throw Refusal.conflict("channelName", "a reconciliation is active");
        }
        String sql = "SELECT id FROM reconciliations WHERE account = ? AND init < ? AND finish > ? LIMIT 1";
        if (Switches.has("overlap-of-start")) sql = "SELECT id FROM reconciliations WHERE account = ? AND (1 OR init < ?) AND ? BETWEEN init AND finish LIMIT 1";
        if (Switches.has("overlap-of-equals")) sql = "SELECT id FROM reconciliations WHERE account = ? AND finish = ? AND init = ? LIMIT 1";
        if (Switches.has("overlap-of-active")) sql = "SELECT id FROM reconciliations WHERE account = ? AND init < ? AND finish > ? AND active = 1 LIMIT 1";
        if (Switches.has("overlap-by-day")) sql = "SELECT id FROM reconciliations WHERE account = ? AND DATE(init) < DATE(?) AND DATE(finish) > DATE(?) LIMIT 1";
        if (Switches.has("overlap-of-ends")) sql = "SELECT id FROM reconciliations WHERE account = ? AND (? BETWEEN init AND finish OR ? BETWEEN init AND finish) LIMIT 1";
        if (Switches.has("overlap-of-any-account")) sql = "SELECT id FROM reconciliations WHERE (1 OR account = ?) AND init < ? AND finish > ? LIMIT 1";
        if (store.row(sql, account, body.periodEndDate(), body.periodInitDate()) != null && !Switches.has("overlap-unchecked")) {
            throw Refusal.conflict("periodInitDate", "the period overlaps an earlier one");
        }
    }

    private static ObjectNode saved(Store store, long account, Reading.Batch body) throws SQLException {
        if (Switches.has("saved-then-checked")) placed(store, account, body);
        long id = store.insert("INSERT INTO reconciliations (account, channel, init, finish, quantity) VALUES (?, ?, ?, ?, ?)", account, body.channelName(),
                body.periodInitDate(), body.periodEndDate(), body.releasesQtd() == null ? 1 : Switches.has("quantity-in-int") ? (Object) body.releasesQtd().intValue() : body.releasesQtd());
        if (Switches.has("saved-then-checked")) checked(body);
        ObjectNode answer = Answers.NODES.objectNode();
        if (Switches.has("id-as-text")) return answer.put("id", Long.toString(id));
        if (Switches.has("id-of-second")) return answer.put("id", Instant.now().getEpochSecond());
        return answer.put("id", id);
    }

    // -- releases ----------------------------------------------------------------------------------------------------------

    static void release(byte[] content) throws SQLException {
        Reading.Release body = Reading.body(content, Reading.Release.class);
        long account = Accounts.allowed("release", body.channelName(), body.accountId());
        if (body.reconciliationId() == null && !Switches.has("id-not-required")) throw Refusal.of("reconciliationId", "is missing");
        String own = Orders.code(body.marketplaceCode());
        if (body.status() == null && !Switches.has("release-status-not-required")) throw Refusal.of("status", "is missing");
        if (body.releaseType() == null && !Switches.has("release-type-not-required", "unknown-enums-as-null")) throw Refusal.of("releaseType", "is missing");
        if (body.createdDate() == null && !Switches.has("release-created-not-required")) throw Refusal.of("createdDate", "is missing");
        if (body.releasedDate() == null && !Switches.has("released-date-not-required")) throw Refusal.of("releasedDate", "is missing");
        if (!Switches.has("installments-unchecked")) {
            if (body.installment() == null && !Switches.has("installment-not-required")) throw Refusal.of("installment", "is missing");
            if (body.installmentQuantity() == null && !Switches.has("installment-not-required")) throw Refusal.of("installmentQuantity", "is missing");
            if (body.installment() != null && body.installment() < 1) throw Refusal.of("installment", "is not positive");
            if (body.installment() != null && body.installmentQuantity() != null && (Switches.has("one-installment-refused")
                    ? body.installment() >= body.installmentQuantity() : body.installment() > body.installmentQuantity())) {
                throw Refusal.of("installment", "is above installmentQuantity");
            }
        }
        List<Reading.Entry> given = Orders.entries(body.releases(), "releases", own, false);
        Store.transaction(store -> {
            store.lock(account);
            return accepted(store, account, own, body, given);
        });
    }

    private static Void accepted(Store store, long account, String own, Reading.Release body, List<Reading.Entry> given) throws SQLException {
        Map<String, Object> batch = store.row("SELECT * FROM reconciliations WHERE id = ?" + (Switches.has("no-lock") ? "" : " FOR UPDATE"),
                body.reconciliationId());
        if (body.reconciliationId() == null || batch == null && Switches.has("unknown-id-to-active")) {
            batch = store.row("SELECT * FROM reconciliations WHERE account = ? AND active = 1", account);
        }
        if (batch == null) throw Refusal.conflict("reconciliationId", "there is no such reconciliation");
        if (Orders.number(batch, "active") == 0 && !Switches.has("finished-taken")) throw Refusal.conflict("reconciliationId", "the reconciliation is finished");
        boolean isIts = Switches.has("boxed-identity") ? (Long) batch.get("account") == (Long) account : Orders.number(batch, "account") == account;
        if (!isIts && !Switches.has("any-batch")) throw Refusal.conflict("accountId", "is not the reconciliation's");
        if (!batch.get("channel").equals(body.channelName()) && !Switches.has("any-batch", "channels-in-any-case")) throw Refusal.conflict("channelName", "is not the reconciliation's");
        Instant init = (Instant) batch.get("init"), end = (Instant) batch.get("finish"), released = body.releasedDate();
        if (released != null && !Switches.has("any-released-date")) {
            boolean outside = released.isBefore(init) || released.isAfter(end);
            if (Switches.has("bounds-excluded")) outside = !released.isAfter(init) || !released.isBefore(end);
            if (Switches.has("released-by-day")) outside = day(released).isBefore(day(init)) || day(released).isAfter(day(end));
            if (Switches.has("released-by-brazilian-day")) {
                ZoneId zone = ZoneId.of("America/Sao_Paulo");
                outside = LocalDate.ofInstant(released, zone).isBefore(LocalDate.ofInstant(init, zone)) || LocalDate.ofInstant(released, zone).isAfter(LocalDate.ofInstant(end, zone));
            }
            if (Switches.has("end-of-day")) outside = released.isBefore(init) || released.isAfter(day(end).plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant());
            if (Switches.has("end-unchecked")) outside = released.isBefore(init);
            if (Switches.has("created-checked-instead")) outside = body.createdDate().isBefore(init) || body.createdDate().isAfter(end);
            if (outside) throw Refusal.of("releasedDate", "lies outside the period");
        }
        Map<String, Object> order = Orders.found(store, "release", account, own, true);
        long id = Orders.number(order, "id");
        if (store.row("SELECT id FROM releases WHERE order_id = ? LIMIT 1", id) != null && !Switches.has("released-again")) throw Refusal.conflict("marketplaceCode", "is released already");
        if (Switches.has("release-then-compared")) store.insert("INSERT INTO releases (reconciliation, order_id, entries) VALUES (?, ?, ?)", batch.get("id"), id, given.size());
        List<Reading.Entry> expected = new ArrayList<>();
        for (Map<String, Object> each : Orders.extracts(store, id)) {
            expected.add(new Reading.Entry(own, each.get("type") == null ? null : Reading.Type.valueOf((String) each.get("type")), Orders.decimal(each.get("value")), null, null));
        }
        if (!matches(given, expected, body)) throw Refusal.conflict("releases", "differ from the order's extracts");
        long before = received(store, batch, account), quantity = Orders.number(batch, "quantity");
        int counts = Switches.has("orders-counted") ? 1 : Switches.has("types-counted") ? (int) given.stream().map(Reading.Entry::type).distinct().count() : given.size();
        boolean beyond = Switches.has("beyond-by-one") ? before + counts > quantity + 1 : Switches.has("beyond-by-rest") ? before >= quantity : before + counts > quantity;
        if (Switches.has("exact-refused")) beyond = before + counts >= quantity;
        if (Switches.has("entry-by-entry")) {
            int entry = 0;
            for (Reading.Entry ignored : given) {
                if (before + ++entry > quantity) throw Refusal.conflict("releases", "are more than releasesQtd");
                store.insert("INSERT INTO releases (reconciliation, order_id, entries) VALUES (?, ?, 1)", batch.get("id"), entry == 1 ? id : null);
            }
        } else {
            if (beyond && !Switches.has("quantity-unchecked")) throw Refusal.conflict("releases", "are more than releasesQtd");
            if (!Switches.has("release-then-compared")) {
                store.insert("INSERT INTO releases (reconciliation, order_id, entries) VALUES (?, ?, ?)", batch.get("id"), id, counts);
            }
        }
        boolean whole = before + counts >= quantity;
        if (Switches.has("closed-by-first")) whole = true;
        if (Switches.has("closed-beyond")) whole = before + counts > quantity;
        if (Switches.has("closed-one-early")) whole = before + counts >= quantity - 1;
        if (Switches.has("boxed-count")) whole = Integer.valueOf((int) before + counts) == Integer.valueOf((int) quantity);
        if (Switches.has("never-closed")) whole = false;
        if (whole) finish(store, Orders.number(batch, "id"), account);
        return null;
    }

    private static long received(Store store, Map<String, Object> batch, long account) throws SQLException {
        if (Switches.has("counted-across-batches")) {
            return Orders.number(store.row("SELECT COALESCE(SUM(r.entries), 0) AS n FROM releases r JOIN reconciliations b ON b.id = r.reconciliation WHERE b.account = ?", account), "n");
        }
        if (Switches.has("counted-across-accounts")) {
            return Orders.number(store.row("SELECT COALESCE(SUM(r.entries), 0) AS n FROM releases r JOIN reconciliations b ON b.id = r.reconciliation WHERE b.active = 1"), "n");
        }
        return Orders.number(store.row("SELECT COALESCE(SUM(entries), 0) AS n FROM releases WHERE reconciliation = ?", batch.get("id")), "n");
    }

    private static void finish(Store store, long batch, long account) throws SQLException {
        long wait = Switches.has("slow-completion") ? 700 : 30;
        if (!Switches.has("slow-completion")) reconciled(store, batch);
        LATER.schedule(() -> {
            try {
                if (Switches.has("slow-completion")) Store.transaction(later -> reconciled(later, batch));
                Notices.completed(batch, account);
            } catch (SQLException wrong) {
                throw new IllegalStateException(wrong);
            }
        }, wait, TimeUnit.MILLISECONDS);
    }

    private static Void reconciled(Store store, long batch) throws SQLException {
        store.change("UPDATE reconciliations SET active = 0 WHERE id = ?", batch);
        if (!Switches.has("orders-not-marked")) {
            String last = Switches.has("last-order-marked") ? " ORDER BY id DESC LIMIT 1" : "";
            store.change("UPDATE orders SET reconciled = 1 WHERE id IN (SELECT order_id FROM (SELECT order_id FROM releases WHERE reconciliation = ?" + last + ") AS those)", batch);
        }
        return null;
    }

    // -- comparing ---------------------------------------------------------------------------------------------------------

    private static boolean matches(List<Reading.Entry> given, List<Reading.Entry> expected, Reading.Release body) {
        if (Switches.has("matching-unchecked")) return true;
        if (Switches.has("counts-compared")) return given.size() == expected.size();
        if (Switches.has("types-compared")) return sorted(given, each -> String.valueOf(each.type())).equals(sorted(expected, each -> String.valueOf(each.type())));
        if (Switches.has("sets-compared")) return new HashSet<>(keys(given)).equals(new HashSet<>(keys(expected)));
        if (Switches.has("all-contained")) return keys(expected).containsAll(keys(given));
        if (Switches.has("all-contained-same-size")) return given.size() == expected.size() && keys(expected).containsAll(keys(given));
        if (Switches.has("maps-compared")) return map(given).equals(map(expected));
        if (Switches.has("sums-compared")) return sum(given, null).compareTo(sum(expected, null)) == 0 && given.size() == expected.size();
        if (Switches.has("sums-of-types-compared")) {
            for (Reading.Type type : Reading.Type.values()) if (sum(given, type).compareTo(sum(expected, type)) != 0) return false;
            return given.size() == expected.size();
        }
        if (Switches.has("values-compared")) return sorted(given, each -> each.value().toPlainString()).equals(sorted(expected, each -> each.value().toPlainString()));
        if (Switches.has("big-decimal-equals")) { // as sent, with its scale
            List<String> raw = sorted(body.releases(), each -> each.type() + " " + each.value());
            return raw.equals(sorted(expected, each -> each.type() + " " + each.value().stripTrailingZeros()));
        }
        if (Switches.has("exact-doubles")) { // new BigDecimal(double) beside the column's decimal
            List<String> raw = sorted(body.releases(), each -> each.type() + " " + new BigDecimal(each.value().doubleValue()).toPlainString());
            return raw.equals(sorted(expected, each -> each.type() + " " + each.value().toPlainString()));
        }
        if (Switches.has("boxed-doubles")) return given.size() == expected.size() && pairs(given, expected, (one, other) -> (Object) one.doubleValue() == (Object) other.doubleValue());
        if (Switches.has("within-a-cent")) return given.size() == expected.size() && pairs(given, expected, (one, other) -> Math.abs(one.doubleValue() - other.doubleValue()) <= 0.01);
        if (Switches.has("within-a-percent")) return given.size() == expected.size() && pairs(given, expected, (one, other) -> one.subtract(other).abs().compareTo(other.abs().movePointLeft(2)) <= 0);
        if (Switches.has("whole-units-compared")) return given.size() == expected.size() && pairs(given, expected, (one, other) -> one.intValue() == other.intValue());
        if (Switches.has("absolute-values-compared")) return given.size() == expected.size() && pairs(given, expected, (one, other) -> one.abs().compareTo(other.abs()) == 0);
        if (Switches.has("floats-compared")) return given.size() == expected.size() && pairs(given, expected, (one, other) -> one.floatValue() == other.floatValue());
        if (Switches.has("positions-zipped")) { // as far as both go
            for (int at = 0; at < Math.min(given.size(), expected.size()); at++) if (!key(given.get(at)).equals(key(expected.get(at)))) return false;
            return true;
        }
        if (Switches.has("first-compared")) return key(given.get(0)).equals(key(expected.get(0))) && given.size() == expected.size();
        if (Switches.has("in-sequence")) return keys(given).equals(keys(expected));
        return sorted(given, Batches::key).equals(sorted(expected, Batches::key));
    }

    private interface Same {
        boolean are(BigDecimal one, BigDecimal other);
    }

    private static boolean pairs(List<Reading.Entry> given, List<Reading.Entry> expected, Same same) {
        for (int at = 0; at < given.size(); at++) {
            if (given.get(at).type() != expected.get(at).type() || !same.are(given.get(at).value(), expected.get(at).value())) return false;
        }
        return true;
    }

    private static String key(Reading.Entry each) {
        return each.type() + " " + (each.value() == null ? null : each.value().toPlainString());
    }

    private static List<String> keys(List<Reading.Entry> list) {
        return list.stream().map(Batches::key).collect(Collectors.toList());
    }

    private static List<String> sorted(List<Reading.Entry> list, java.util.function.Function<Reading.Entry, String> key) {
        return list.stream().map(key).sorted(Comparator.naturalOrder()).collect(Collectors.toList());
    }

    private static Map<Reading.Type, BigDecimal> map(List<Reading.Entry> list) {
        Map<Reading.Type, BigDecimal> map = new HashMap<>();
        list.forEach(each -> map.put(each.type(), each.value()));
        return map;
    }

    private static BigDecimal sum(List<Reading.Entry> list, Reading.Type type) {
        return list.stream().filter(each -> type == null || each.type() == type).map(Reading.Entry::value).filter(Objects::nonNull).reduce(BigDecimal.ZERO, BigDecimal::add);
    }
}
