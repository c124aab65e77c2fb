package android.os;

/** Compile-only: what the app uses of the real one. */
public class HandlerThread extends Thread {
    public HandlerThread(String name) {}

    public Looper getLooper() {
        throw new UnsupportedOperationException("stub");
    }

    public boolean quitSafely() {
        throw new UnsupportedOperationException("stub");
    }
}
