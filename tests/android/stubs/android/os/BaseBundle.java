package android.os;

/** Compile-only: what the app uses of the real one. */
public class BaseBundle {
    public String getString(String key) {
        throw new UnsupportedOperationException("stub");
    }

    public String getString(String key, String otherwise) {
        throw new UnsupportedOperationException("stub");
    }

    public void putString(String key, String value) {}
}
