package android.util;

/** Compile-only: what the app uses of the real one. */
public final class Size {
    public int getWidth() {
        throw new UnsupportedOperationException("stub");
    }

    public int getHeight() {
        throw new UnsupportedOperationException("stub");
    }
}
