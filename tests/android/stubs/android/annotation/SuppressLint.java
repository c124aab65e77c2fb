package android.annotation;

/** Compile-only: what the app uses of the real one. */
public @interface SuppressLint {
    String[] value();
}
