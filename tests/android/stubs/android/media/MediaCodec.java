package android.media;

/** Compile-only: what the app uses of the real one. */
public final class MediaCodec {
    public static final int BUFFER_FLAG_END_OF_STREAM = 4;

    public static final class BufferInfo {
        public int flags;
        public int offset;
        public int size;
        public long presentationTimeUs;

        public BufferInfo() {}
    }

    public static MediaCodec createDecoderByType(String type) throws java.io.IOException {
        throw new UnsupportedOperationException("stub");
    }

    public void configure(
            MediaFormat format, android.view.Surface surface, MediaCrypto crypto, int flags) {}

    public void start() {}

    public void flush() {}

    public void release() {}

    public int dequeueInputBuffer(long micros) {
        throw new UnsupportedOperationException("stub");
    }

    public java.nio.ByteBuffer getInputBuffer(int index) {
        throw new UnsupportedOperationException("stub");
    }

    public void queueInputBuffer(int index, int offset, int size, long micros, int flags) {}

    public int dequeueOutputBuffer(BufferInfo info, long micros) {
        throw new UnsupportedOperationException("stub");
    }

    public Image getOutputImage(int index) {
        throw new UnsupportedOperationException("stub");
    }

    public MediaFormat getOutputFormat(int index) {
        throw new UnsupportedOperationException("stub");
    }

    public void releaseOutputBuffer(int index, boolean render) {}
}
