package android.content;

/** Compile-only: what the app uses of the real one. */
public final class ContentValues {
    public void put(String key, String value) {
        throw new UnsupportedOperationException("stub");
    }
}
