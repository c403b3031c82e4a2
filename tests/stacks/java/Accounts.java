import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The integrator's accounts, as KONCILI_WORLD tells them, and whether a request may act on one. */
final class Accounts {
    static final JsonNode WORLD = world();

    private Accounts() {}

    private static JsonNode world() {
        try {
            return Reading.MAPPER.readTree(System.getenv("KONCILI_WORLD"));
        } catch (com.fasterxml.jackson.core.JsonProcessingException wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    private static JsonNode known(long id) {
        for (JsonNode each : WORLD.get("accounts")) {
            if (each.get("id").asLong() == id) return each;
        }
        return null;
    }

    private static boolean knows(String channel) {
        for (JsonNode each : WORLD.get("channels")) {
            if (Switches.has("channels-in-any-case") ? each.asText().equalsIgnoreCase(channel) : each.asText().equals(channel)) return true;
        }
        return false;
    }

    /** The account's id, if it may be acted upon there; `what` is the operation, for the mistakes. */
    static long allowed(String what, String channel, Reading.Account account) {
        if (account == null) throw Refusal.of("accountId", "is missing");
        if (channel == null || channel.isBlank()) throw Refusal.of("channelName", "is missing");
        if (Switches.has("any-account-on-" + what)) return account.id();
        JsonNode known = known(account.id());
        boolean both = Switches.has("channel-first") && !knows(channel);
        if (known == null && !both) throw new Refusal(404, "404-1", "Account " + account.id() + " not found", "accountId");
        if (!knows(channel) && !Switches.has("channel-unchecked-on-" + what)) {
            throw new Refusal(404, Switches.has("channel-code-of-account") ? "404-1" : "404-2", "Channel " + channel + " not found", "channelName");
        }
        String home = known.get("channel").asText();
        boolean isHome = Switches.has("channels-in-any-case") ? home.equalsIgnoreCase(channel) : home.equals(channel);
        if (!isHome && !Switches.has("channel-unchecked-on-" + what)) {
            throw new Refusal(403, "403-2", "Account " + account.id() + " is not authorised on " + channel, "channelName");
        }
        if (known.get("state").asText().equals("inactive") && !Switches.has("inactive-taken-on-" + what)) {
            throw new Refusal(403, "403-1", "Account " + account.id() + " is inactive", "accountId");
        }
        if (known.get("state").asText().equals("disabled") && !Switches.has("disabled-taken-on-" + what)) {
            throw new Refusal(400, "400-2", "Account " + account.id() + " is not enabled for API import", "accountId");
        }
        return account.id();
    }

    static ArrayNode list() {
        ArrayNode list = Answers.NODES.arrayNode();
        for (JsonNode each : WORLD.get("accounts")) {
            ObjectNode shown = list.addObject();
            Answers.account(shown, "id", each.get("id").asLong());
            shown.set("channelName", each.get("channel"));
            shown.put("status", each.get("state").asText().equals("inactive") ? "INACTIVE" : "ACTIVE");
            shown.put("apiImport", !each.get("state").asText().equals("disabled"));
            if (Switches.has("more-fields")) shown.put("createdAt", "2024-01-01T00:00:00Z").putNull("nickname");
        }
        return list;
    }
}
