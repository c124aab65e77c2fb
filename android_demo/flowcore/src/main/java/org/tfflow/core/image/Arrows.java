package org.tfflow.core.image;

import java.util.Arrays;

/**
 * Flow as arrows on a grid, each from where a pixel is to where it goes: the strokes of {@code
 * tfflow.visualization.flow_to_arrows}, in the colours of their directions.
 */
public final class Arrows {
    /** Nothing to draw. */
    public static final Arrows NONE = new Arrows(new float[0], new int[0]);

    /** Numbers of an arrow's three strokes in {@link #lines}. */
    public static final int NUMBERS = 12;

    private static final double LEAST = 2; // px; what is shorter is not seen
    private static final double HEAD = 0.35; // of an arrow's length
    private static final double LONGEST_HEAD = 7; // px

    private final float[] lines;
    private final int[] colors;

    private Arrows(float[] lines, int[] colors) {
        this.lines = lines;
        this.colors = colors;
    }

    /**
     * The arrows of a flow field; none where it is not known or moves by less than 2 pixels.
     *
     * @param step distance between arrows, in pixels, from 1 up
     * @param scale length of an arrow in proportion to its motion: with 1 it ends where it leads
     */
    public static Arrows of(FlowField flow, int step, float scale) {
        if (step < 1) {
            throw new IllegalArgumentException("step must be at least 1 px; got " + step);
        }
        Sizes.checkPositive("scale", scale);
        int columns = (flow.width() + step - 1 - step / 2) / step;
        int rows = (flow.height() + step - 1 - step / 2) / step;
        float[] lines = new float[NUMBERS * Math.max(columns * rows, 0)];
        int[] colors = new int[lines.length / NUMBERS];
        int count = 0;
        for (int y = step / 2; y < flow.height(); y += step) {
            for (int x = step / 2; x < flow.width(); x += step) {
                double u = scale * flow.u(x, y);
                double v = scale * flow.v(x, y);
                if (flow.isKnown(x, y) && Math.hypot(u, v) >= LEAST) {
                    draw(x + 0.5, y + 0.5, u, v, lines, NUMBERS * count);
                    colors[count++] = 0xff000000 | FlowColors.color(u, v, Math.hypot(u, v));
                }
            }
        }
        return new Arrows(
                Arrays.copyOf(lines, NUMBERS * count), Arrays.copyOf(colors, count));
    }

    /** The shaft, then the head's two strokes, which end at the point. */
    private static void draw(double x, double y, double u, double v, float[] lines, int at) {
        double endX = x + u;
        double endY = y + v;
        double length = Math.hypot(u, v);
        double head = Math.min(HEAD * length, LONGEST_HEAD) / length;
        double backX = endX - head * u;
        double backY = endY - head * v;
        double acrossX = -0.5 * head * v;
        double acrossY = 0.5 * head * u;
        double[] numbers = {
            x, y, endX, endY,
            backX + acrossX, backY + acrossY, endX, endY,
            backX - acrossX, backY - acrossY, endX, endY
        };
        for (int i = 0; i < NUMBERS; i++) {
            lines[at + i] = (float) numbers[i];
        }
    }

    /** How many arrows there are. */
    public int count() {
        return colors.length;
    }

    /**
     * Three strokes for each arrow, four numbers (x1, y1, x2, y2) for each stroke, in the field's
     * pixels, as Android's Canvas.drawLines takes them.
     */
    public float[] lines() {
        return lines;
    }

    /** An opaque ARGB colour for each arrow. */
    public int[] colors() {
        return colors;
    }
}
