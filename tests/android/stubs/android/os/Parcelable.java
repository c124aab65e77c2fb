package android.os;

/** Compile-only: what the app uses of the real one. */
public interface Parcelable {}
