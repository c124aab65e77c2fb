package android.view;

/** Compile-only: what the app uses of the real one. */
public final class Display {
    public int getRotation() {
        throw new UnsupportedOperationException("stub");
    }
}
