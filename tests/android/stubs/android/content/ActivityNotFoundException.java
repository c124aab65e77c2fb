package android.content;

/** Compile-only: what the app uses of the real one. */
public class ActivityNotFoundException extends RuntimeException {
    private static final long serialVersionUID = 1L;
}
