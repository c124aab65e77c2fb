package android.media;

/** Compile-only: what the app uses of the real one. */
public final class MediaFormat {
    public static final String KEY_COLOR_FORMAT = "color-format";
    public static final String KEY_COLOR_RANGE = "color-range";
    public static final String KEY_COLOR_STANDARD = "color-standard";
    public static final String KEY_MIME = "mime";
    public static final String KEY_ROTATION = "rotation-degrees";

    public boolean containsKey(String name) {
        throw new UnsupportedOperationException("stub");
    }

    public int getInteger(String name) {
        throw new UnsupportedOperationException("stub");
    }

    public String getString(String name) {
        throw new UnsupportedOperationException("stub");
    }

    public void setInteger(String name, int value) {}
}
