package org.tfflow.core.pipeline;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.tfflow.core.detection.Box;
import org.tfflow.core.image.Arrows;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.RgbImage;

/** What a pipeline gives: a frame, and what is to be drawn over it. */
public final class Overlay {
    private static final int[] NO_COLORS = {};

    private final RgbImage image;
    private final long timestampNanos;
    private final int width;
    private final int height;
    private final FlowField flow;
    private final int[] argb;
    private final Arrows arrows;
    private final List<Box> boxes;
    private final boolean isKey;

    private Overlay(
            Frame frame,
            RgbImage image,
            int width,
            int height,
            FlowField flow,
            int[] argb,
            Arrows arrows,
            List<Box> boxes,
            boolean isKey) {
        this.image = image;
        this.timestampNanos = frame.timestampNanos();
        this.width = width;
        this.height = height;
        this.flow = flow;
        this.argb = argb;
        this.arrows = arrows;
        this.boxes = boxes;
        this.isKey = isKey;
    }

    static Overlay ofColors(Frame frame, RgbImage image, FlowField flow, int[] argb) {
        return new Overlay(
                frame,
                image,
                flow.width(),
                flow.height(),
                flow,
                argb,
                Arrows.NONE,
                Collections.emptyList(),
                false);
    }

    static Overlay ofArrows(Frame frame, RgbImage image, FlowField flow, Arrows arrows) {
        return new Overlay(
                frame,
                image,
                flow.width(),
                flow.height(),
                flow,
                NO_COLORS,
                arrows,
                Collections.emptyList(),
                false);
    }

    static Overlay ofBoxes(Frame frame, RgbImage image, List<Box> boxes, boolean isKey) {
        return new Overlay(
                frame,
                image,
                image.width(),
                image.height(),
                null,
                NO_COLORS,
                Arrows.NONE,
                Collections.unmodifiableList(boxes),
                isKey);
    }

    /** Of the overlay, in pixels: what arrows and boxes are in. */
    public int width() {
        return width;
    }

    /** Of the overlay, in pixels. */
    public int height() {
        return height;
    }

    /**
     * The flow's colours, one int (alpha, red, green, blue) for a pixel, rows from the top; empty
     * if there are none.
     */
    public int[] argb() {
        return argb;
    }

    /** The flow's arrows, in pixels of the overlay; none of them if there are colours. */
    public Arrows arrows() {
        return arrows;
    }

    /** The objects found, in pixels of the overlay, the surest first. */
    public List<Box> boxes() {
        return boxes;
    }

    /** Whether a detector took it for a key frame. */
    public boolean isKey() {
        return isKey;
    }

    /** The flow behind colours and arrows, in pixels of the overlay. */
    public Optional<FlowField> flow() {
        return Optional.ofNullable(flow);
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
