package android.content;

/** Compile-only: what the app uses of the real one. */
public abstract class ContentResolver {
    public final java.io.InputStream openInputStream(android.net.Uri file)
            throws java.io.FileNotFoundException {
        throw new UnsupportedOperationException("stub");
    }

    public final java.io.OutputStream openOutputStream(android.net.Uri file)
            throws java.io.FileNotFoundException {
        throw new UnsupportedOperationException("stub");
    }
}
