package org.tfflow.demo;

import android.content.Context;
import android.graphics.ImageFormat;
import android.media.Image;
import android.media.MediaCodec;
import android.media.MediaCodecInfo;
import android.media.MediaExtractor;
import android.media.MediaFormat;
import android.net.Uri;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.Orientation;
import org.tfflow.core.image.YuvColors;
import org.tfflow.core.image.YuvImage;
import org.tfflow.core.pipeline.PlaybackClock;

/** A video file's frames at the file's speed, again and again, on a thread of their own. */
final class VideoSource implements FrameSource {
    private static final long PATIENCE = 10_000; // µs to wait for a buffer

    private static final int LARGEST = 960; // px; more than the networks look at

    private final Context context;
    private final Uri file;
    private final Receiver receiver;
    private final Thread thread = new Thread(this::play, "video");
    private volatile boolean closed;

    /** Starts to play; what goes wrong is told to the receiver. */
    VideoSource(Context context, Uri file, Receiver receiver) {
        this.context = context;
        this.file = file;
        this.receiver = receiver;
        thread.start();
    }

    private void play() {
        MediaExtractor extractor = new MediaExtractor();
        MediaCodec decoder = null;
        try {
            extractor.setDataSource(context, file, null);
            MediaFormat format = selectVideo(extractor);
            if (format == null) {
                throw new IOException("there is no video in this file");
            }
            decoder = MediaCodec.createDecoderByType(format.getString(MediaFormat.KEY_MIME));
            format.setInteger(
                    MediaFormat.KEY_COLOR_FORMAT,
                    MediaCodecInfo.CodecCapabilities.COLOR_FormatYUV420Flexible);
            decoder.configure(format, null, null, 0);
            decoder.start();
            int degrees = number(format, MediaFormat.KEY_ROTATION);
            decode(extractor, decoder, Orientation.of(degrees, false));
        } catch (IOException | RuntimeException error) {
            // Damaged files end in exceptions of many kinds, and so do formats unknown to a phone.
            if (!closed) {
                receiver.onFailure("this video can't be played: " + error.getMessage());
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        } finally {
            if (decoder != null) {
                decoder.release();
            }
            extractor.release();
        }
    }

    /** Selects the first video track; null if there is none. */
    private static MediaFormat selectVideo(MediaExtractor extractor) {
        for (int track = 0; track < extractor.getTrackCount(); track++) {
            MediaFormat format = extractor.getTrackFormat(track);
            String type = format.getString(MediaFormat.KEY_MIME);
            if (type != null && type.startsWith("video/")) {
                extractor.selectTrack(track);
                return format;
            }
        }
        return null;
    }

    private void decode(MediaExtractor extractor, MediaCodec decoder, Orientation orientation)
            throws IOException, InterruptedException {
        PlaybackClock clock = new PlaybackClock();
        MediaCodec.BufferInfo info = new MediaCodec.BufferInfo();
        boolean fed = false;
        boolean shown = false;
        while (!closed) {
            if (!fed) {
                fed = feed(extractor, decoder);
            }
            int index = decoder.dequeueOutputBuffer(info, PATIENCE);
            if (index < 0) { // nothing yet, or another format, which each picture says itself
                continue;
            }
            if (info.size > 0) {
                show(decoder, index, 1000 * info.presentationTimeUs, clock, orientation);
                shown = true;
            }
            decoder.releaseOutputBuffer(index, false);
            if ((info.flags & MediaCodec.BUFFER_FLAG_END_OF_STREAM) != 0) {
                if (!shown) {
                    throw new IOException("it ends before its first picture");
                }
                // From the start again: the frames' times run backwards there, as all can see.
                extractor.seekTo(0, MediaExtractor.SEEK_TO_PREVIOUS_SYNC);
                decoder.flush();
                fed = false;
            }
        }
    }

    /** Gives the decoder the file's next part, if it takes one; whether that was the last. */
    private static boolean feed(MediaExtractor extractor, MediaCodec decoder) {
        int index = decoder.dequeueInputBuffer(PATIENCE);
        if (index < 0) {
            return false;
        }
        ByteBuffer buffer = decoder.getInputBuffer(index);
        int size = buffer == null ? -1 : extractor.readSampleData(buffer, 0);
        if (size < 0) {
            decoder.queueInputBuffer(index, 0, 0, 0, MediaCodec.BUFFER_FLAG_END_OF_STREAM);
            return true;
        }
        decoder.queueInputBuffer(index, 0, size, extractor.getSampleTime(), 0);
        extractor.advance();
        return false;
    }

    private void show(
            MediaCodec decoder,
            int index,
            long timestampNanos,
            PlaybackClock clock,
            Orientation orientation)
            throws InterruptedException {
        long wait = clock.waitNanos(timestampNanos, System.nanoTime());
        if (wait == PlaybackClock.SKIP) {
            return;
        }
        Frame frame;
        try (Image image = decoder.getOutputImage(index)) {
            if (image == null || image.getFormat() != ImageFormat.YUV_420_888) {
                throw new IllegalStateException(
                        "this phone decodes it to something else than YUV_420_888, as it does for"
                                + " HDR; take a video with 8 bits");
            }
            MediaFormat format = decoder.getOutputFormat(index);
            YuvColors colors =
                    YuvColors.ofVideo(
                            number(format, MediaFormat.KEY_COLOR_STANDARD),
                            number(format, MediaFormat.KEY_COLOR_RANGE),
                            image.getHeight());
            YuvImage picture = YuvImages.of(image, colors).within(LARGEST);
            frame = Frame.of(picture, orientation, timestampNanos);
        }
        Thread.sleep(wait / 1_000_000);
        if (!closed) {
            receiver.onFrame(frame);
        }
    }

    private static int number(MediaFormat format, String key) {
        return format.containsKey(key) ? format.getInteger(key) : 0;
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(1000); // a file of a slow cloud may hold it; it ends by itself
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }
}
