package android.media;

/** Compile-only: what the app uses of the real one. */
public abstract class Image implements AutoCloseable {
    public abstract static class Plane {
        public abstract java.nio.ByteBuffer getBuffer();

        public abstract int getRowStride();

        public abstract int getPixelStride();
    }

    public abstract int getFormat();

    public android.graphics.Rect getCropRect() {
        throw new UnsupportedOperationException("stub");
    }

    public abstract int getWidth();

    public abstract int getHeight();

    public abstract long getTimestamp();

    public abstract Plane[] getPlanes();

    @Override
    public abstract void close();
}
