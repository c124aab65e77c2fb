package android.content.res;

/** Compile-only: what the app uses of the real one. */
public class Resources {
    public android.util.DisplayMetrics getDisplayMetrics() {
        throw new UnsupportedOperationException("stub");
    }
}
