package org.tfflow.core;

/** How the pipeline paints; each method gives a changed copy. */
public final class FlowPipelineOptions {
    private final int viewWidth;
    private final int viewHeight;
    private final double maxFlow;
    private final int opacity;
    private final Fit fit;
    private final boolean exactColors;

    private FlowPipelineOptions(
            int viewWidth,
            int viewHeight,
            double maxFlow,
            int opacity,
            Fit fit,
            boolean exactColors) {
        this.viewWidth = viewWidth;
        this.viewHeight = viewHeight;
        this.maxFlow = maxFlow;
        this.opacity = opacity;
        this.fit = fit;
        this.exactColors = exactColors;
    }

    /** The frame's size, each picture's largest motion as full colour, opaque, stretched, exact. */
    public static FlowPipelineOptions standard() {
        return new FlowPipelineOptions(0, 0, 0, 255, Fit.STRETCH, true);
    }

    /** An overlay of this size in pixels; the flow is then in its pixels. */
    public FlowPipelineOptions withView(int width, int height) {
        Sizes.count("view", width, height, 2);
        return new FlowPipelineOptions(width, height, maxFlow, opacity, fit, exactColors);
    }

    /** The motion, in pixels of the overlay, that gets full colour in every picture. */
    public FlowPipelineOptions withMaxFlow(float pixels) {
        Sizes.checkPositive("maxFlow", pixels);
        return new FlowPipelineOptions(
                viewWidth, viewHeight, pixels, opacity, fit, exactColors);
    }

    /** The overlay's alpha, 0 to 255. */
    public FlowPipelineOptions withOpacity(int alpha) {
        if (alpha < 0 || alpha > 255) {
            throw new IllegalArgumentException("opacity must be 0 to 255; got " + alpha);
        }
        return new FlowPipelineOptions(
                viewWidth, viewHeight, maxFlow, alpha, fit, exactColors);
    }

    /** How frames are brought to the network's size. */
    public FlowPipelineOptions withFit(Fit newFit) {
        return new FlowPipelineOptions(
                viewWidth, viewHeight, maxFlow, opacity, newFit, exactColors);
    }

    /** Colours from a table: two levels from tfflow's at most, in a fraction of the time. */
    public FlowPipelineOptions withFastColors() {
        return new FlowPipelineOptions(viewWidth, viewHeight, maxFlow, opacity, fit, false);
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

    int[] paint(FlowField flow) {
        double max = maxFlow > 0 ? maxFlow : Math.max(flow.largestMotion(), FlowColors.TINY);
        return exactColors
                ? FlowColors.toArgb(flow, max, opacity)
                : FlowColorTable.toArgb(flow, max, opacity);
    }
}
