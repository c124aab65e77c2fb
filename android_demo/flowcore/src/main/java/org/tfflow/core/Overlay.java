package org.tfflow.core;

/** What the pipeline gives: the flow's picture, to be drawn over the newer of the two frames. */
public final class Overlay {
    private final int[] argb;
    private final FlowField flow;
    private final RgbImage image;
    private final long timestampNanos;

    Overlay(int[] argb, FlowField flow, RgbImage image, long timestampNanos) {
        this.argb = argb;
        this.flow = flow;
        this.image = image;
        this.timestampNanos = timestampNanos;
    }

    /** Of the overlay, in pixels. */
    public int width() {
        return flow.width();
    }

    /** Of the overlay, in pixels. */
    public int height() {
        return flow.height();
    }

    /** The colours, one int (alpha, red, green, blue) for a pixel, rows from the top. */
    public int[] argb() {
        return argb;
    }

    /** The flow behind the colours, in pixels of the overlay. */
    public FlowField flow() {
        return flow;
    }

    /** The newer frame, upright, in its own size. */
    public RgbImage image() {
        return image;
    }

    /** When the newer frame was taken, in nanoseconds. */
    public long timestampNanos() {
        return timestampNanos;
    }
}
