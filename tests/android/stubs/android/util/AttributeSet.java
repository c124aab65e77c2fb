package android.util;

/** Compile-only: what the app uses of the real one. */
public interface AttributeSet {}
