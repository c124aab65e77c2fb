package android.media;

/** Compile-only: what the app uses of the real one. */
public final class MediaExtractor {
    public static final int SEEK_TO_PREVIOUS_SYNC = 0;

    public MediaExtractor() {}

    public void setDataSource(
            android.content.Context context,
            android.net.Uri uri,
            java.util.Map<String, String> headers)
            throws java.io.IOException {}

    public int getTrackCount() {
        throw new UnsupportedOperationException("stub");
    }

    public MediaFormat getTrackFormat(int track) {
        throw new UnsupportedOperationException("stub");
    }

    public void selectTrack(int track) {}

    public void seekTo(long micros, int mode) {}

    public boolean advance() {
        throw new UnsupportedOperationException("stub");
    }

    public int readSampleData(java.nio.ByteBuffer buffer, int offset) {
        throw new UnsupportedOperationException("stub");
    }

    public long getSampleTime() {
        throw new UnsupportedOperationException("stub");
    }

    public void release() {}
}
