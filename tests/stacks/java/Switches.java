import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** What the environment's FAULTS, separated by commas, changes: mistakes of the stack, and lawful habits of it. */
final class Switches {
    private static final Set<String> ON = Arrays.stream(System.getenv().getOrDefault("FAULTS", "").split(","))
            .filter(name -> !name.isBlank()).collect(Collectors.toSet());

    private Switches() {}

    static boolean has(String... names) {
        return Arrays.stream(names).anyMatch(ON::contains);
    }
}
