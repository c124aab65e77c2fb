package android.os;

/** Compile-only: what the app uses of the real one. */
public class Handler {
    public Handler(Looper looper) {}

    public final boolean post(Runnable task) {
        throw new UnsupportedOperationException("stub");
    }
}
