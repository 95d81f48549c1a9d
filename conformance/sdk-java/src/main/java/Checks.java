import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** The frame of the suite: see ../checks.py, whose output this prints. */
final class Checks {
    static final int MIB = 1024 * 1024;

    /** The same keys as in ../checks.py. */
    static final List<String> ODD_KEYS = List.of(
            "plain", "with space", " leading and trailing ", "two  spaces", "plus+plus", "per%cent", "per%20cent",
            "per%2Fcent", "double//slash", "/leading-slash", "folder/", "folder/inside", "folder/inside/deep",
            "ключ/日本語/é", "e\u0301 decomposed", "emoji-😀", "quotes'\"`", "amp&<tag>;", "question?a=b#fragment",
            "list,of:things;@$=!*()~", "back\\slash", "brackets[]{}|^");

    /** One check; anything it throws is its failure. */
    interface Check {
        void run() throws Exception;
    }

    private static boolean failed;

    private Checks() {
    }

    static void check(String title, Check check) {
        long started = System.nanoTime();
        String word = "ok";
        String detail = "";
        try {
            check.run();
        } catch (Throwable reason) {
            word = "FAILED";
            failed = true;
            detail = reason + "\n" + Arrays.stream(reason.getStackTrace())
                    .filter(frame -> frame.getClassName().startsWith("Suite"))
                    .limit(3).map(frame -> "at " + frame + "\n").reduce("", String::concat);
        }
        System.out.printf("%-8ssdk-java: %s (%.1f s)%n", word, title, (System.nanoTime() - started) / 1e9);
        detail.lines().limit(20).forEach(line -> System.out.println("        | " + line));
    }

    static int exitCode() {
        return failed ? 1 : 0;
    }

    static void equal(Object got, Object expected, String what) {
        if (!Objects.deepEquals(got, expected)) {
            throw new AssertionError(what + ": expected " + shorten(expected) + ", got " + shorten(got));
        }
    }

    static void same(byte[] got, byte[] expected, String what) {
        if (!Arrays.equals(got, expected)) {
            throw new AssertionError(what + ": bytes differ");
        }
    }

    static void yes(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    static void refused(String code, int status, Check call) throws Exception {
        try {
            call.run();
        } catch (S3Exception error) {
            equal(error.statusCode(), status, "status");
            if (code != null) {
                equal(error.awsErrorDetails().errorCode(), code, "error code");
            }
            return;
        }
        throw new AssertionError("must be refused with " + status + " " + code + ", but succeeded");
    }

    static byte[] randomBytes(int size, int seed) {
        byte[] data = new byte[size];
        new Random(seed * 1_000_003L + size).nextBytes(data);
        return data;
    }

    static String quotedMd5(byte[] data) throws Exception {
        return '"' + HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(data)) + '"';
    }

    private static String shorten(Object value) {
        String text = String.valueOf(value);
        return text.length() < 800 ? text : text.substring(0, 800) + "…";
    }
}
