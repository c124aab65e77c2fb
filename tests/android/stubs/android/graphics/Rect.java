package android.graphics;

/** Compile-only: what the app uses of the real one. */
public final class Rect {
    public int left;
    public int top;
    public int right;
    public int bottom;

    public int width() {
        throw new UnsupportedOperationException("stub");
    }

    public int height() {
        throw new UnsupportedOperationException("stub");
    }
}
