package android.content;

import android.net.Uri;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import org.tfflow.fakes.Phone;

public abstract class ContentResolver {
    public final Uri insert(Uri url, ContentValues values) {
        return Phone.hasGallery ? Uri.parse(url + "/" + values.values.get("_display_name")) : null;
    }

    public final InputStream openInputStream(Uri file) throws FileNotFoundException {
        return new java.io.FileInputStream(Phone.document(file.toString()));
    }

    public final OutputStream openOutputStream(Uri file) throws FileNotFoundException {
        return new FileOutputStream(Phone.document(file.toString()));
    }
}
