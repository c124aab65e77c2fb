package android.media;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.tfflow.fakes.Phone;

/** Sound, then pictures: a byte for each, its number. */
public final class MediaExtractor {
    public static final int SEEK_TO_PREVIOUS_SYNC = 0;

    private int track = -1;
    private int next;
    private boolean released;

    public void setDataSource(
            android.content.Context context, android.net.Uri uri, Map<String, String> headers)
            throws IOException {
        if (Phone.videoFrames < 0) {
            throw new IOException("Failed to instantiate extractor.");
        }
    }

    public int getTrackCount() {
        return Phone.videoFrames == 0 ? 1 : 2;
    }

    public MediaFormat getTrackFormat(int index) {
        return index == 0
                ? MediaFormat.of("audio/mp4a-latm", 0)
                : MediaFormat.of("video/avc", Phone.rotation);
    }

    public void selectTrack(int index) {
        track = index;
    }

    public void seekTo(long micros, int mode) {
        next = 0;
    }

    public boolean advance() {
        return ++next < Phone.videoFrames;
    }

    public int readSampleData(ByteBuffer buffer, int offset) {
        if (track != 1 || released) {
            throw new IllegalStateException("not the video's track, or released");
        }
        if (Phone.videoEmpty || next >= Phone.videoFrames) {
            return -1;
        }
        buffer.put(0, (byte) next);
        return 1;
    }

    public long getSampleTime() {
        return 1000L * next; // a thousand frames a second: the test shall not wait
    }

    public void release() {
        released = true;
    }
}
