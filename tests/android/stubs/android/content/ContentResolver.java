package android.content;

/** Compile-only: what the app uses of the real one. */
public abstract class ContentResolver {
    public final android.net.Uri insert(
            android.net.Uri url, ContentValues values) {
        throw new UnsupportedOperationException("stub");
    }

    public final android.database.Cursor query(
            android.net.Uri uri,
            String[] projection,
            String selection,
            String[] selectionArgs,
            String sortOrder) {
        throw new UnsupportedOperationException("stub");
    }

    public final int delete(android.net.Uri url, String where, String[] selectionArgs) {
        throw new UnsupportedOperationException("stub");
    }

    public final java.io.InputStream openInputStream(android.net.Uri file)
            throws java.io.FileNotFoundException {
        throw new UnsupportedOperationException("stub");
    }

    public final java.io.OutputStream openOutputStream(android.net.Uri file, String mode)
            throws java.io.FileNotFoundException {
        throw new UnsupportedOperationException("stub");
    }
}
