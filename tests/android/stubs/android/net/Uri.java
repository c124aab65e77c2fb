package android.net;

/** Compile-only: what the app uses of the real one. */
public abstract class Uri implements android.os.Parcelable {
    public static Uri parse(String text) {
        throw new UnsupportedOperationException("stub");
    }

    public abstract String getLastPathSegment();

    @Override
    public abstract String toString();
}
