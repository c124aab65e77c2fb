package android.provider;

import android.content.ContentResolver;
import android.net.Uri;
import java.io.FileNotFoundException;

/** Compile-only: what the app uses of the real one. */
public final class DocumentsContract {
    public static boolean deleteDocument(ContentResolver content, Uri documentUri)
            throws FileNotFoundException {
        throw new UnsupportedOperationException("stub");
    }
}
