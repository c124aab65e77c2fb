package org.tfflow.core.pipeline;

import org.tfflow.core.image.Arrows;
import org.tfflow.core.image.Fit;
import org.tfflow.core.image.FlowColorTable;
import org.tfflow.core.image.FlowColors;
import org.tfflow.core.image.FlowField;
import org.tfflow.core.image.Frame;
import org.tfflow.core.image.RgbImage;
import org.tfflow.core.image.Sizes;

/** How the pipeline paints; each method gives a changed copy. */
public final class FlowPipelineOptions implements Cloneable {
    private int viewWidth;
    private int viewHeight;
    private double maxFlow;
    private int opacity = 255;
    private Fit fit = Fit.STRETCH;
    private boolean exactColors = true;
    private int arrowStep;
    private float leastConfidence;

    private FlowPipelineOptions() {}

    /** The frame's size, each picture's largest motion as full colour, opaque, stretched, exact. */
    public static FlowPipelineOptions standard() {
        return new FlowPipelineOptions();
    }

    /** An overlay of this size in pixels; the flow is then in its pixels. */
    public FlowPipelineOptions withView(int width, int height) {
        Sizes.count("view", width, height, 2);
        FlowPipelineOptions changed = copy();
        changed.viewWidth = width;
        changed.viewHeight = height;
        return changed;
    }

    /** The motion, in pixels of the overlay, that gets full colour in every picture. */
    public FlowPipelineOptions withMaxFlow(float pixels) {
        FlowPipelineOptions changed = copy();
        changed.maxFlow = Sizes.checkPositive("maxFlow", pixels);
        return changed;
    }

    /** The overlay's alpha, 0 to 255. */
    public FlowPipelineOptions withOpacity(int alpha) {
        if (alpha < 0 || alpha > 255) {
            throw new IllegalArgumentException("opacity must be 0 to 255; got " + alpha);
        }
        FlowPipelineOptions changed = copy();
        changed.opacity = alpha;
        return changed;
    }

    /** How frames are brought to the network's size. */
    public FlowPipelineOptions withFit(Fit newFit) {
        FlowPipelineOptions changed = copy();
        changed.fit = newFit;
        return changed;
    }

    /** Colours from a table: two levels from tfflow's at most, in a fraction of the time. */
    public FlowPipelineOptions withFastColors() {
        FlowPipelineOptions changed = copy();
        changed.exactColors = false;
        return changed;
    }

    /** Arrows in place of colours, so many pixels of the overlay apart. */
    public FlowPipelineOptions withArrows(int step) {
        if (step < 1) {
            throw new IllegalArgumentException("step must be at least 1 px; got " + step);
        }
        FlowPipelineOptions changed = copy();
        changed.arrowStep = step;
        return changed;
    }

    /**
     * Flow that the network trusts less than this is taken for unknown: it has no colours and no
     * arrows, and does not count for the largest motion. All flow is shown where the network gives
     * no confidence.
     *
     * @param confidence in [0, 1], such as {@link FlowField#DOUBTFUL}; 0 shows all flow
     */
    public FlowPipelineOptions withLeastConfidence(float confidence) {
        if (!(confidence >= 0 && confidence <= 1)) {
            throw new IllegalArgumentException(
                    "the least confidence must be 0 to 1; got " + confidence);
        }
        FlowPipelineOptions changed = copy();
        changed.leastConfidence = confidence;
        return changed;
    }

    private FlowPipelineOptions copy() {
        try {
            return (FlowPipelineOptions) clone();
        } catch (CloneNotSupportedException never) {
            throw new AssertionError(never);
        }
    }

    int viewWidth(RgbImage image) {
        return viewWidth == 0 ? image.width() : viewWidth;
    }

    int viewHeight(RgbImage image) {
        return viewHeight == 0 ? image.height() : viewHeight;
    }

    Fit fit() {
        return fit;
    }

    Overlay paint(Frame frame, RgbImage image, FlowField predicted) {
        boolean hides = leastConfidence > 0 && predicted.hasConfidence();
        FlowField flow = hides ? predicted.withoutDoubtful(leastConfidence) : predicted;
        if (arrowStep > 0) {
            return Overlay.ofArrows(frame, image, flow, Arrows.of(flow, arrowStep, 1));
        }
        double max = maxFlow > 0 ? maxFlow : Math.max(flow.largestMotion(), FlowColors.TINY);
        int[] argb =
                exactColors
                        ? FlowColors.toArgb(flow, max, opacity)
                        : FlowColorTable.toArgb(flow, max, opacity);
        return Overlay.ofColors(frame, image, flow, argb);
    }
}
