package android.content;

import android.database.Cursor;
import android.net.Uri;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import org.tfflow.fakes.Phone;

public abstract class ContentResolver {
    public final Uri insert(Uri url, ContentValues values) {
        return Phone.hasGallery ? Uri.parse(url + "/" + values.values.get("_display_name")) : null;
    }

    public final int delete(Uri url, String where, String[] selectionArgs) {
        return Phone.document(url.toString()).delete() ? 1 : 0;
    }

    /** A row of the file's name and size, from providers that know one of them. */
    public final Cursor query(
            Uri uri,
            String[] projection,
            String selection,
            String[] selectionArgs,
            String sortOrder) {
        String name = Phone.titles.get(uri.getLastPathSegment());
        File file = Phone.document(uri.toString());
        return name == null && !file.exists()
                ? null
                : new Cursor() {
                    @Override
                    public boolean moveToFirst() {
                        return true;
                    }

                    @Override
                    public String getString(int columnIndex) {
                        boolean named = projection[columnIndex].equals("_display_name");
                        return named ? name : String.valueOf(file.length());
                    }

                    @Override
                    public void close() {}
                };
    }

    public final InputStream openInputStream(Uri file) throws FileNotFoundException {
        return new java.io.FileInputStream(Phone.document(file.toString()));
    }

    public final OutputStream openOutputStream(Uri file, String mode)
            throws FileNotFoundException {
        if (!mode.equals("wt")) {
            throw new IllegalArgumentException(mode);
        }
        return new FileOutputStream(Phone.document(file.toString()));
    }
}
