import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.UUID;

/** Access and refresh tokens. */
final class Tokens {
    private static final SecureRandom RANDOM = new SecureRandom();

    private Tokens() {}

    private static String made(String kind) {
        byte[] secret = new byte[32];
        RANDOM.nextBytes(secret);
        Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
        String head = encoder.encodeToString("{\"alg\":\"HS256\",\"typ\":\"JWT\"}".getBytes(StandardCharsets.UTF_8));
        long now = Instant.now().getEpochSecond();
        String body = encoder.encodeToString(("{\"sub\":\"" + Accounts.WORLD.get("integrator").asText() + "\",\"kind\":\"" + kind + "\",\"iat\":" + now + ",\"exp\":" + (now + 7200) + "}").getBytes(StandardCharsets.UTF_8));
        return head + "." + body + "." + encoder.encodeToString(secret);
    }

    private static ObjectNode pair(Store store) throws SQLException {
        ObjectNode answer = Answers.NODES.objectNode();
        for (String kind : new String[] {"access", "refresh"}) {
            String token = made(kind);
            store.insert("INSERT INTO tokens VALUES (?, ?)", token, kind);
            answer.put(kind + "Token", token);
        }
        return answer.put("expiresIn", 7200);
    }

    static ObjectNode login(byte[] content) throws SQLException {
        String given = Reading.body(content, Reading.Login.class).credentials();
        if (given == null) throw Refusal.of("credentials", "is missing");
        String decoded;
        try {
            byte[] bytes = Switches.has("mime-base64") ? Base64.getMimeDecoder().decode(given) : Base64.getDecoder().decode(given);
            decoded = new String(bytes, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException wrong) {
            if (Switches.has("base64-500")) throw wrong;
            throw Refusal.of("credentials", "is no base64");
        }
        String email = Accounts.WORLD.get("email").asText(), password = Accounts.WORLD.get("password").asText();
        int colon = decoded.indexOf(':');
        if (colon < 0 && Switches.has("split-unchecked")) throw new ArrayIndexOutOfBoundsException("1");
        if (colon < 0) throw refused("credentials");
        String name = decoded.substring(0, colon), word = decoded.substring(colon + 1);
        boolean right = name.equals(email) && word.equals(password);
        if (Switches.has("password-unchecked")) right = name.equals(email);
        if (Switches.has("password-in-any-case")) right = name.equals(email) && word.equalsIgnoreCase(password);
        if (Switches.has("password-trimmed")) right = name.equals(email) && word.trim().equals(password);
        if (Switches.has("password-prefix")) right = name.equals(email) && password.startsWith(word);
        if (Switches.has("password-split")) right = name.equals(email) && decoded.split(":")[1].equals(password);
        if (Switches.has("password-of-8")) right = name.equals(email) && word.length() >= 8 && password.startsWith(word.substring(0, 8));
        if (!right) throw refused("credentials");
        return Store.transaction(Tokens::pair);
    }

    private static Refusal refused(String field) {
        int status = Switches.has("refusals-400") ? 400 : Switches.has("refusals-403") ? 403 : 401;
        return new Refusal(status, Integer.toString(status), field + " is void", field);
    }

    static ObjectNode renewed(byte[] content) throws SQLException {
        String given = Reading.body(content, Reading.Renewal.class).refreshToken();
        if (given == null) throw Refusal.of("refreshToken", "is missing");
        return Store.transaction(store -> {
            String kinds = Switches.has("access-refreshes") ? "'refresh', 'access'" : "'refresh'";
            if (Switches.has("refreshed-race")) {
                if (store.row("SELECT kind FROM tokens WHERE token = ? AND kind IN (" + kinds + ")", given) == null) throw refused("refreshToken");
                store.change("DELETE FROM tokens WHERE token = ?", given);
                return pair(store);
            }
            boolean known = Switches.has("refreshed-again") ? store.row("SELECT kind FROM tokens WHERE token = ? AND kind IN (" + kinds + ")", given) != null
                    : store.change("DELETE FROM tokens WHERE token = ? AND kind IN (" + kinds + ")", given) == 1;
            if (!known && Switches.has("any-refresh-token")) known = given.split("\\.").length == 3;
            if (!known && Switches.has("refresh-404")) throw new Refusal(404, "404", "refreshToken not found", "refreshToken");
            if (!known) throw refused("refreshToken");
            if (Switches.has("refresh-token-kept")) {
                ObjectNode answer = pair(store);
                store.insert("INSERT INTO tokens VALUES (?, 'refresh')", given);
                return answer.put("refreshToken", given);
            }
            return pair(store);
        });
    }

    /** Whether that header's token lets its holder in. */
    static boolean knows(String token) throws SQLException {
        if (token == null || token.isBlank()) return false;
        String[] parts = token.split("\\.");
        if (Switches.has("signature-unverified", "alg-none-taken") && parts.length >= 2) {
            try {
                JsonNode head = Reading.MAPPER.readTree(Base64.getUrlDecoder().decode(parts[0])), claims = Reading.MAPPER.readTree(Base64.getUrlDecoder().decode(parts[1]));
                boolean signed = !Switches.has("alg-none-taken") || "none".equalsIgnoreCase(head.path("alg").asText());
                if (signed && claims.has("sub") && claims.path("exp").asLong() > Instant.now().getEpochSecond()) return true;
            } catch (IllegalArgumentException | java.io.IOException wrong) {
                return false;
            }
        }
        if (Switches.has("refresh-token-lets-in")) return Store.transaction(store -> store.row("SELECT kind FROM tokens WHERE token = ?", token)) != null;
        String asked = Switches.has("token-of-100") && token.length() > 100 ? token.substring(0, 100) + "%" : null;
        if (asked != null) return Store.transaction(store -> store.row("SELECT kind FROM tokens WHERE token LIKE ? AND kind = 'access' LIMIT 1", asked)) != null;
        Map<String, Object> row = Store.transaction(store -> store.row("SELECT kind FROM tokens WHERE token = ? AND kind = 'access' LIMIT 1", token));
        return row != null;
    }

    static void integrator(String header) {
        if (Switches.has("integrator-unchecked")) return;
        if (header == null) throw Refusal.of("integrator", "is missing");
        try {
            if (!UUID.fromString(header).toString().equals(header.toLowerCase())) throw Refusal.of("integrator", "is no UUID");
        } catch (IllegalArgumentException wrong) {
            throw Refusal.of("integrator", "is no UUID");
        }
        if (!header.equalsIgnoreCase(Accounts.WORLD.get("integrator").asText()) && !Switches.has("any-integrator")) throw new Refusal(403, "403", "integrator is unknown", "integrator");
    }
}
