package org.tfflow.core.image;

import java.util.Objects;

/** A picture on its way into the pipeline: from a camera or a file, not yet upright. */
public final class Frame {
    private final YuvImage yuv;
    private final RgbImage rgb;
    private final Orientation orientation;
    private final long timestampNanos;

    private Frame(YuvImage yuv, RgbImage rgb, Orientation orientation, long timestampNanos) {
        this.yuv = yuv;
        this.rgb = rgb;
        this.orientation = Objects.requireNonNull(orientation, "orientation");
        this.timestampNanos = timestampNanos;
    }

    /**
     * A camera's frame, copied: the camera may have its buffers back at once.
     *
     * @param timestampNanos when it was taken, in nanoseconds, of any clock
     */
    public static Frame of(YuvImage yuv, Orientation orientation, long timestampNanos) {
        return new Frame(yuv.copy(), null, orientation, timestampNanos);
    }

    /** A frame that is RGB already; not copied. */
    public static Frame of(RgbImage rgb, Orientation orientation, long timestampNanos) {
        return new Frame(
                null, Objects.requireNonNull(rgb, "rgb"), orientation, timestampNanos);
    }

    /** When it was taken, in nanoseconds. */
    public long timestampNanos() {
        return timestampNanos;
    }

    /** The picture as RGB, upright. */
    public RgbImage upright() {
        return orientation.apply(yuv == null ? rgb : yuv.toRgb());
    }
}
