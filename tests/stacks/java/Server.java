import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPOutputStream;

/** Koncili as a careful team would build it on Java 17, Jackson and MariaDB, from the documents alone; each switch changes one thing. */
public final class Server {
    private static final Set<String> PATHS = Set.of("/public/api/auth/token", "/public/api/auth/refresh-token", "/my-accounts", "/order", "/reconciliation", "/reconciliation/release");
    private static final AtomicLong CALLS = new AtomicLong();

    private record Answer(int status, JsonNode body) {}

    private Server() {}

    public static void main(String[] arguments) throws Exception {
        Store.open(arguments[0]);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 128);
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.createContext("/", Server::handled);
        server.start();
        System.out.println("{\"port\": " + server.getAddress().getPort() + "}");
        while (System.in.read() != -1) { } // it ends with whoever started it
        System.exit(0);
    }

    private static void handled(HttpExchange exchange) throws IOException {
        byte[] content = exchange.getRequestBody().readAllBytes();
        try {
            sent(exchange, answered(exchange, content));
        } catch (Refusal refusal) {
            sent(exchange, new Answer(refusal.status, refused(refusal)));
        } catch (IllegalArgumentException | NullPointerException | IndexOutOfBoundsException | ArithmeticException | SQLException wrong) {
            if (System.getenv("TRACE") != null) wrong.printStackTrace();
            if (Switches.has("white-label-page")) page(exchange, 500);
            else sent(exchange, new Answer(500, refused(new Refusal(500, "500", "Internal error", null))));
        } finally {
            exchange.close();
        }
    }

    private static ObjectNode refused(Refusal refusal) {
        ObjectNode body = Answers.NODES.objectNode();
        if (Switches.has("spring-errors")) {
            return body.put("timestamp", Instant.now().toString()).put("status", refusal.status).put("error", "Bad Request").put("path", "/order");
        }
        if (Switches.has("problem-details")) return body.put("type", "about:blank").put("title", refusal.getMessage()).put("status", refusal.status);
        String text = Switches.has("latin1-errors") ? "Requisição inválida: " + refusal.getMessage() : Switches.has("messages-say-nothing") ? "Invalid request" : refusal.getMessage();
        body.put("errorMessage", text);
        String code = Switches.has("numbered-codes") && !refusal.code.contains("-") && refusal.status != 403 ? refusal.status + "-17" : refusal.code;
        if (Switches.has("codes-as-numbers")) body.put("errorCode", refusal.status);
        else body.put("errorCode", Switches.has("code-always-400-0") ? "400-0" : code);
        if (!Switches.has("nulls-left-out") || refusal.source != null) body.put("errorSource", Switches.has("sources-null") ? null : refusal.source);
        if (Switches.has("more-fields")) body.put("timestamp", Instant.now().toString()).put("traceId", "4bf92f3577b34da6").putArray("details");
        return body;
    }

    private static Answer answered(HttpExchange exchange, byte[] content) throws SQLException {
        String path = exchange.getRequestURI().getRawPath(), method = exchange.getRequestMethod();
        long call = CALLS.incrementAndGet();
        if (Switches.has("passing-500") && call % 97 == 0) throw new IllegalArgumentException("passing");
        if (Switches.has("passing-503") && call % 61 == 0) throw new Refusal(503, "503", "database restarts", null);
        if (Switches.has("trailing-slash") && path.length() > 1 && path.endsWith("/")) path = path.substring(0, path.length() - 1);
        if (!PATHS.contains(path)) {
            if (Switches.has("unknown-path-200")) return new Answer(200, Answers.NODES.objectNode());
            throw new Refusal(404, "404", "There is nothing at this path", null);
        }
        if (path.endsWith("/auth/token") || path.endsWith("/auth/refresh-token")) {
            if (!method.equals("POST")) throw wrongMethod();
            if (path.endsWith("/auth/token") && Switches.has("created-tokens-201")) return new Answer(201, Tokens.login(content));
            return new Answer(200, path.endsWith("/auth/token") ? Tokens.login(content) : Tokens.renewed(content));
        }
        boolean open = Switches.has("my-accounts-open") && path.equals("/my-accounts") || Switches.has("query-open") && path.equals("/order") && method.equals("GET")
                || Switches.has("deletion-open") && method.equals("DELETE");
        if (!open && !Tokens.knows(exchange.getRequestHeaders().getFirst("gumgaToken"))) {
            if (Switches.has("unauthorised-401")) return new Answer(401, Answers.NODES.objectNode().put("response", "NO_TOKEN"));
            if (Switches.has("spring-forbidden")) return new Answer(403, Answers.NODES.objectNode().put("status", 403).put("error", "Forbidden"));
            return new Answer(403, Answers.NODES.objectNode().put("response", "NO_TOKEN"));
        }
        if (!open) Tokens.integrator(exchange.getRequestHeaders().getFirst("integrator"));
        if (Switches.has("media-type-wanted") && method.equals("POST") && !"application/json".equals(exchange.getRequestHeaders().getFirst("Content-Type"))) {
            throw new Refusal(415, "415", "Content-Type must be application/json", "Content-Type");
        }
        if (Switches.has("length-wanted") && method.equals("POST") && exchange.getRequestHeaders().getFirst("Content-Length") == null) throw new Refusal(411, "411", "Content-Length is missing", "Content-Length");
        if (Switches.has("head-answered") && method.equals("HEAD")) method = "GET";
        String called = method + " " + path;
        Map<String, String> query = called.endsWith(" /order") && !method.equals("POST") ? query(exchange.getRequestURI().getRawQuery()) : Map.of();
        return switch (called) {
            case "GET /my-accounts" -> new Answer(200, Switches.has("accounts-in-a-page") ? Answers.NODES.objectNode().set("content", Accounts.list()) : Accounts.list());
            case "POST /order" -> {
                Orders.submit(content);
                yield new Answer(Switches.has("orders-201") ? 201 : 200, said("Order received"));
            }
            case "GET /order" -> new Answer(200, Orders.show(query));
            case "DELETE /order" -> {
                Orders.remove(query);
                yield new Answer(Switches.has("deletions-204") ? 204 : 200, said("Order removed"));
            }
            case "POST /reconciliation" -> new Answer(Switches.has("reconciliations-200") ? 200 : 201, Batches.create(content));
            case "POST /reconciliation/release" -> {
                Batches.release(content);
                yield new Answer(200, said("Release received"));
            }
            default -> throw wrongMethod();
        };
    }

    private static JsonNode said(String text) {
        return Switches.has("empty-successes") ? null : Switches.has("text-successes") ? Answers.NODES.textNode(text) : Answers.NODES.objectNode().put("message", text);
    }

    private static Refusal wrongMethod() {
        int status = Switches.has("methods-404") ? 404 : Switches.has("methods-500") ? 500 : 405;
        return new Refusal(status, Integer.toString(status), "The method is not allowed", null);
    }

    private static Map<String, String> query(String raw) {
        Map<String, String> query = new HashMap<>();
        for (String part : raw == null ? new String[0] : raw.split("&")) {
            int at = part.indexOf('=');
            try {
                String value = at < 0 ? "" : part.substring(at + 1);
                if (Switches.has("plus-is-plus")) value = value.replace("+", "%2B");
                String decoded = Switches.has("query-in-latin1") ? URLDecoder.decode(value, StandardCharsets.ISO_8859_1) : URLDecoder.decode(value, StandardCharsets.UTF_8);
                if (Switches.has("query-undecoded")) decoded = value;
                query.putIfAbsent(URLDecoder.decode(at < 0 ? part : part.substring(0, at), StandardCharsets.UTF_8), decoded);
            } catch (IllegalArgumentException wrong) {
                if (Switches.has("percent-500")) throw wrong;
                throw Refusal.of(at < 0 ? "query" : part.substring(0, at), "is badly encoded");
            }
        }
        return query;
    }

    private static void page(HttpExchange exchange, int status) throws IOException {
        byte[] page = "<html><body><h1>Whitelabel Error Page</h1></body></html>".getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/html;charset=UTF-8");
        exchange.sendResponseHeaders(status, page.length);
        exchange.getResponseBody().write(page);
    }

    private static void sent(HttpExchange exchange, Answer answer) throws IOException {
        if (Switches.has("white-label-page") && answer.status >= 400 && answer.status != 403) {
            page(exchange, answer.status);
            return;
        }
        byte[] bytes = answer.body == null ? new byte[0] : Answers.bytes(answer.body);
        String type = "application/json";
        if (Switches.has("charset-told")) type += ";charset=UTF-8";
        if (answer.status >= 400 && Switches.has("latin1-errors", "latin1-undeclared")) {
            bytes = new String(bytes, StandardCharsets.UTF_8).getBytes(StandardCharsets.ISO_8859_1);
            if (Switches.has("latin1-errors")) type = "application/json;charset=ISO-8859-1";
        }
        if (answer.status >= 400 && Switches.has("error-media-type")) type = type.replace("application/json", "application/problem+json");
        if (bytes.length > 0 && !Switches.has("type-left-out")) exchange.getResponseHeaders().set("Content-Type", type);
        if (Switches.has("connection-closed")) exchange.getResponseHeaders().set("Connection", "close");
        String accepted = exchange.getRequestHeaders().getFirst("Accept-Encoding");
        if (Switches.has("gzip") && bytes.length > 0 && accepted != null && accepted.contains("gzip")) {
            ByteArrayOutputStream packed = new ByteArrayOutputStream();
            try (GZIPOutputStream zip = new GZIPOutputStream(packed)) {
                zip.write(bytes);
            }
            bytes = packed.toByteArray();
            exchange.getResponseHeaders().set("Content-Encoding", "gzip");
        }
        boolean bodiless = exchange.getRequestMethod().equals("HEAD") || bytes.length == 0 || answer.status == 204;
        if (exchange.getRequestMethod().equals("HEAD")) exchange.getResponseHeaders().set("Content-Length", Integer.toString(bytes.length));
        exchange.sendResponseHeaders(answer.status, bodiless ? -1 : Switches.has("chunked") ? 0 : bytes.length);
        if (!bodiless) {
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(bytes);
            }
        }
    }
}
