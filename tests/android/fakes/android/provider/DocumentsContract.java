package android.provider;

import android.content.ContentResolver;
import android.net.Uri;
import java.io.FileNotFoundException;
import org.tfflow.fakes.Phone;

public final class DocumentsContract {
    public static boolean deleteDocument(ContentResolver content, Uri documentUri)
            throws FileNotFoundException {
        if (!Phone.document(documentUri.toString()).delete()) {
            throw new FileNotFoundException(documentUri.toString());
        }
        return true;
    }
}
