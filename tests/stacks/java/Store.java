import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;

/** Connections to MariaDB, transactions on them, and rows as maps. */
final class Store {
    interface Work<T> {
        T on(Store store) throws SQLException;
    }

    private static final BlockingQueue<Connection> POOL = new ArrayBlockingQueue<>(8);
    private static final AtomicLong TRANSACTIONS = new AtomicLong();
    private static final int DEADLOCK = 1213, LOCK_WAIT = 1205;
    private final Connection connection;

    private Store(Connection connection) {
        this.connection = connection;
    }

    static void open(String url) throws SQLException {
        for (int each = 0; each < 8; each++) {
            Connection connection = DriverManager.getConnection(url, "root", "");
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            if (Switches.has("lenient-mode")) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("SET SESSION sql_mode = ''");
                }
            }
            POOL.add(connection);
        }
    }

    /** Does it in a transaction, again where MariaDB chose it as a deadlock's victim. */
    static <T> T transaction(Work<T> work) throws SQLException {
        for (int attempt = 1; ; attempt++) {
            Connection connection = taken();
            try {
                connection.setAutoCommit(Switches.has("no-transactions"));
                T result = work.on(new Store(connection));
                if (Switches.has("deadlocks") && attempt == 1 && TRANSACTIONS.incrementAndGet() % 5 == 0) {
                    throw new SQLException("made up", "40001", DEADLOCK);
                }
                if (!connection.getAutoCommit()) connection.commit();
                return result;
            } catch (SQLException wrong) {
                undone(connection);
                boolean passing = wrong.getErrorCode() == DEADLOCK || wrong.getErrorCode() == LOCK_WAIT;
                if (!passing || attempt == 5 || Switches.has("deadlocks-unhandled")) throw wrong;
            } catch (RuntimeException wrong) {
                if (Switches.has("committed-refusals") && !connection.getAutoCommit()) connection.commit(); // a checked exception does not roll back
                undone(connection);
                throw wrong;
            } finally {
                POOL.add(connection);
            }
        }
    }

    private static void undone(Connection connection) throws SQLException {
        if (!connection.getAutoCommit()) connection.rollback();
    }

    private static Connection taken() {
        try {
            return POOL.take();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(stopped);
        }
    }

    /** Whatever else happens on this account waits for the transaction's end. */
    void lock(long account) throws SQLException {
        if (!Switches.has("no-lock")) rows("SELECT id FROM accounts WHERE id = ? FOR UPDATE", account);
    }

    List<Map<String, Object>> rows(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = prepared(sql, false, values); ResultSet found = statement.executeQuery()) {
            List<Map<String, Object>> rows = new ArrayList<>();
            while (found.next()) {
                Map<String, Object> row = new LinkedHashMap<>();
                for (int at = 1; at <= found.getMetaData().getColumnCount(); at++) {
                    String type = found.getMetaData().getColumnTypeName(at);
                    boolean isDate = type.startsWith("DATETIME") || type.startsWith("TIMESTAMP");
                    row.put(found.getMetaData().getColumnLabel(at), isDate ? instant(found.getObject(at, LocalDateTime.class)) : found.getObject(at));
                }
                rows.add(row);
            }
            return rows;
        }
    }

    Map<String, Object> row(String sql, Object... values) throws SQLException {
        List<Map<String, Object>> rows = rows(sql, values);
        return rows.isEmpty() ? null : rows.get(0);
    }

    /** How many rows it changed. */
    int change(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = prepared(sql, false, values)) {
            return statement.executeUpdate();
        }
    }

    /** The id that it got. */
    long insert(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = prepared(sql, true, values)) {
            statement.executeUpdate();
            try (ResultSet keys = statement.getGeneratedKeys()) {
                return keys.next() ? keys.getLong(1) : 0;
            }
        }
    }

    private PreparedStatement prepared(String sql, boolean keys, Object... values) throws SQLException {
        PreparedStatement statement = keys ? connection.prepareStatement(sql, Statement.RETURN_GENERATED_KEYS) : connection.prepareStatement(sql);
        for (int at = 0; at < values.length; at++) {
            Object value = values[at] instanceof Enum<?> one ? one.name() : values[at];
            statement.setObject(at + 1, value instanceof Instant time ? LocalDateTime.ofInstant(time, written()) : value);
        }
        return statement;
    }

    private static ZoneId written() {
        return Switches.has("zone-of-sao-paulo") ? ZoneId.of("America/Sao_Paulo") : ZoneOffset.UTC;
    }

    private static Instant instant(LocalDateTime stored) {
        if (stored == null) return null;
        return stored.atZone(Switches.has("read-in-another-zone") ? ZoneId.of("America/Sao_Paulo") : written()).toInstant();
    }
}
