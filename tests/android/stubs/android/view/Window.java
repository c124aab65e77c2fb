package android.view;

/** Compile-only: what the app uses of the real one. */
public abstract class Window {
    public void addFlags(int flags) {}
}
