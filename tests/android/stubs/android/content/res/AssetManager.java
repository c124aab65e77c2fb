package android.content.res;

/** Compile-only: what the app uses of the real one. */
public final class AssetManager {
    public java.io.InputStream open(String name) throws java.io.IOException {
        throw new UnsupportedOperationException("stub");
    }
}
