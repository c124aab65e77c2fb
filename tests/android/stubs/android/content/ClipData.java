package android.content;

/** Compile-only: what the app uses of the real one. */
public class ClipData {
    public static ClipData newRawUri(CharSequence label, android.net.Uri uri) {
        throw new UnsupportedOperationException("stub");
    }

    public static ClipData newPlainText(CharSequence label, CharSequence text) {
        throw new UnsupportedOperationException("stub");
    }
}
