package android.graphics;

/** Compile-only: what the app uses of the real one. */
public class BitmapFactory {
    public static Bitmap decodeByteArray(byte[] data, int offset, int length) {
        throw new UnsupportedOperationException("stub");
    }
}
