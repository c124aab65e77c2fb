package android.graphics;

/** Compile-only: what the app uses of the real one. */
public final class Bitmap {
    public enum Config {
        ARGB_8888
    }

    public enum CompressFormat {
        PNG
    }

    public static Bitmap createBitmap(int width, int height, Config config) {
        throw new UnsupportedOperationException("stub");
    }

    public Config getConfig() {
        throw new UnsupportedOperationException("stub");
    }

    public Bitmap copy(Config config, boolean isMutable) {
        throw new UnsupportedOperationException("stub");
    }

    public boolean compress(CompressFormat format, int quality, java.io.OutputStream stream) {
        throw new UnsupportedOperationException("stub");
    }

    public int getWidth() {
        throw new UnsupportedOperationException("stub");
    }

    public int getHeight() {
        throw new UnsupportedOperationException("stub");
    }

    public void getPixels(
            int[] pixels, int offset, int stride, int x, int y, int width, int height) {}

    public void setPixels(
            int[] pixels, int offset, int stride, int x, int y, int width, int height) {}
}
