package org.tfflow.core.image;

/**
 * Flow as colours, Middlebury's code: the hue tells the direction, white is no motion, full colour
 * the largest one. The same colours as {@code tfflow.visualization.flow_to_image}.
 */
public final class FlowColors {
    // The wheel's corners (red, yellow, green, cyan, blue, magenta), and how many colours lie
    // between each and the next.
    private static final int[][] CORNERS = {
        {255, 0, 0}, {255, 255, 0}, {0, 255, 0}, {0, 255, 255}, {0, 0, 255}, {255, 0, 255}
    };
    private static final int[] COUNTS = {15, 6, 4, 11, 13, 6};
    private static final double[][] WHEEL = wheel();
    public static final double TINY = 1e-9; // px; in place of a largest motion of 0

    private FlowColors() {}

    /** Fully painted, the picture's own largest motion as full colour; see {@link #toArgb}. */
    public static int[] toArgb(FlowField flow) {
        return toArgb(flow, Math.max(flow.largestMotion(), TINY), 255);
    }

    /**
     * Paints flow.
     *
     * @param maxFlow the motion in pixels that gets full colour; larger ones are painted darker
     * @param opacity 0 to 255, the alpha of all pixels
     * @return ARGB, one int for a pixel; 0, which is transparent black, where the flow is not known
     * @throws IllegalArgumentException if maxFlow is not above 0 or the opacity out of its range
     */
    public static int[] toArgb(FlowField flow, double maxFlow, int opacity) {
        if (!(maxFlow > 0)) {
            throw new IllegalArgumentException("maxFlow must be above 0 px; got " + maxFlow);
        }
        if (opacity < 0 || opacity > 255) {
            throw new IllegalArgumentException("opacity must be 0 to 255; got " + opacity);
        }
        float[] uv = flow.uv();
        int[] argb = new int[uv.length / 2];
        for (int i = 0; i < argb.length; i++) {
            float u = uv[2 * i];
            float v = uv[2 * i + 1];
            argb[i] = FlowField.isKnown(u, v) ? opacity << 24 | color(u, v, maxFlow) : 0;
        }
        return argb;
    }

    /** The colour of one motion as 0xRRGGBB; all lengths in pixels. */
    static int color(double u, double v, double maxFlow) {
        double radius = Math.sqrt(u * u + v * v) / maxFlow;
        // The wheel starts at the left and turns to the top. Adding 0.0 makes -0.0 to 0.0, without
        // which the angle of pure right is +pi at times, and not -pi.
        double angle = Math.atan2(-(v + 0.0), -u) / Math.PI;
        double position = (angle + 1) / 2 * (WHEEL.length - 1);
        int below = (int) position;
        double fraction = position - below;
        double[] first = WHEEL[below];
        double[] second = WHEEL[(below + 1) % WHEEL.length];
        int color = 0;
        for (int c = 0; c < 3; c++) {
            double hue = (1 - fraction) * first[c] + fraction * second[c];
            double level = radius <= 1 ? 1 - radius * (1 - hue) : 0.75 * hue;
            color = color << 8 | (int) (255 * level);
        }
        return color;
    }

    private static double[][] wheel() {
        double[][] wheel = new double[55][3];
        int at = 0;
        for (int arc = 0; arc < CORNERS.length; arc++) {
            int[] from = CORNERS[arc];
            int[] to = CORNERS[(arc + 1) % CORNERS.length];
            for (int i = 0; i < COUNTS[arc]; i++, at++) {
                for (int c = 0; c < 3; c++) {
                    // Whole numbers, cut off: flow-code's wheel.
                    wheel[at][c] = (from[c] + (to[c] - from[c]) * i / COUNTS[arc]) / 255.0;
                }
            }
        }
        return wheel;
    }
}
