package android.media;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/** A decoder with one buffer at its input, which keeps a frame back as real ones do. */
public final class MediaCodec {
    public static final int BUFFER_FLAG_END_OF_STREAM = 4;

    public static final class BufferInfo {
        public int flags;
        public int offset;
        public int size;
        public long presentationTimeUs;
    }

    private static final class Picture {
        int number;
        int size;
        int flags;
        long time;
    }

    private final Deque<Picture> inside = new ArrayDeque<>();
    private final ByteBuffer input = ByteBuffer.allocateDirect(8);
    private Picture shown;
    private boolean started;
    private boolean formatTold;
    private boolean ended;

    public static MediaCodec createDecoderByType(String type) throws IOException {
        if (!type.equals("video/avc")) {
            throw new IllegalArgumentException("no decoder for " + type);
        }
        return new MediaCodec();
    }

    public void configure(
            MediaFormat format, android.view.Surface surface, MediaCrypto crypto, int flags) {
        if (format.getInteger(MediaFormat.KEY_COLOR_FORMAT) != 0x7F420888) {
            throw new IllegalArgumentException("not COLOR_FormatYUV420Flexible");
        }
    }

    public void start() {
        started = true;
    }

    public void flush() {
        inside.clear();
        ended = false;
    }

    public void release() {
        started = false;
    }

    private void check(boolean right, String what) {
        if (!started || !right) {
            throw new IllegalStateException(what);
        }
    }

    public int dequeueInputBuffer(long micros) {
        check(!ended, "input after the end of the stream");
        return inside.size() < 2 ? 0 : -1;
    }

    public ByteBuffer getInputBuffer(int index) {
        return input;
    }

    public void queueInputBuffer(int index, int offset, int size, long micros, int flags) {
        Picture picture = new Picture();
        picture.number = input.get(0);
        picture.size = size;
        picture.time = micros;
        picture.flags = flags;
        ended = (flags & BUFFER_FLAG_END_OF_STREAM) != 0;
        inside.add(picture);
    }

    public int dequeueOutputBuffer(BufferInfo info, long micros) {
        check(shown == null, "the last buffer was not released");
        if (!formatTold) {
            formatTold = true;
            return -2; // INFO_OUTPUT_FORMAT_CHANGED
        }
        if (inside.size() < 2 && !ended) {
            return -1; // INFO_TRY_AGAIN_LATER
        }
        shown = inside.remove();
        info.size = shown.size;
        info.flags = shown.flags;
        info.presentationTimeUs = shown.time;
        return 7;
    }

    public Image getOutputImage(int index) {
        check(shown != null && index == 7, "no such buffer");
        return new Image(shown.number);
    }

    public MediaFormat getOutputFormat(int index) {
        return MediaFormat.of("video/raw", 0);
    }

    public void releaseOutputBuffer(int index, boolean render) {
        check(shown != null && index == 7, "no such buffer");
        shown = null;
    }
}
