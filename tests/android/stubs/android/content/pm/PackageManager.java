package android.content.pm;

/** Compile-only: what the app uses of the real one. */
public abstract class PackageManager {
    public static final int PERMISSION_GRANTED = 0;
}
