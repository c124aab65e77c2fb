package android.database;

/** Compile-only: what the app uses of the real one. */
public interface Cursor extends java.io.Closeable {
    boolean moveToFirst();

    String getString(int columnIndex);

    @Override
    void close();
}
