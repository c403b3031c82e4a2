import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;

/** What the integrator is told, where KONCILI_WORLD has a `callback`. */
final class Notices {
    private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build();

    private Notices() {}

    static void completed(long batch, long account) {
        ObjectNode payload = Answers.NODES.objectNode();
        Answers.account(payload, "accountId", account);
        payload.put("reconciliationId", batch).put("resolvedEndDate", Instant.now().toString()).put("situation", Switches.has("situation-in-english") ? "RECONCILED" : "CONCILIED");
        if (Switches.has("notice-without-account")) payload.remove("accountId");
        if (!Switches.has("never-notified")) told("RECONCILIATION_COMPLETED", payload);
        if (Switches.has("notified-twice")) told("RECONCILIATION_COMPLETED", payload);
    }

    private static void told(String type, ObjectNode payload) {
        if (!Accounts.WORLD.has("callback")) return;
        ObjectNode body = Answers.NODES.objectNode().put("notificationType", type).put("timestamp", Instant.now().toString());
        body.set("payload", payload);
        HttpRequest request = HttpRequest.newBuilder(URI.create(Accounts.WORLD.get("callback").asText())).timeout(Duration.ofSeconds(5))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofByteArray(Answers.bytes(body))).build();
        try {
            CLIENT.send(request, HttpResponse.BodyHandlers.discarding());
        } catch (IOException nobody) { // a callback that can't be reached is the integrator's
            System.err.println(nobody);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }
}
