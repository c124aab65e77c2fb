package android.media;

/** Compile-only: what the app uses of the real one. */
public final class MediaCrypto {}
