/** What is answered in place of a success. */
final class Refusal extends RuntimeException {
    final int status;
    final String code;
    final String source;

    Refusal(int status, String code, String message, String source) {
        super(message);
        this.status = status;
        this.code = code;
        this.source = source;
    }

    /** For invalid values. */
    static Refusal of(String field, String what) {
        return new Refusal(400, "400-0", field + " " + what, field);
    }

    /** For what the error table does not name. */
    static Refusal conflict(String field, String what) {
        int status = Switches.has("conflict-409") ? 409 : 400;
        return new Refusal(status, Integer.toString(status), field + ": " + what, field);
    }
}
