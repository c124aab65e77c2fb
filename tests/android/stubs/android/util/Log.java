package android.util;

/** Compile-only: what the app uses of the real one. */
public final class Log {
    public static int e(String tag, String message, Throwable error) {
        throw new UnsupportedOperationException("stub");
    }
}
