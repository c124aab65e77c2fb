package org.tfflow.core;

/**
 * The colours of {@link FlowColors}, looked up: many times faster, and at most a few levels apart. A
 * phone paints each frame so, where the exact colours would cost as much time as the network.
 */
final class FlowColorTable {
    private static final int HALF = 256; // entries from no motion to maxFlow

    /** 0xRRGGBB, rows of v from -maxFlow to maxFlow, columns of u; made once, a megabyte. */
    private static final class Entries {
        static final int SIDE = 2 * HALF + 1;
        static final int[] COLORS = new int[SIDE * SIDE];

        static {
            for (int i = 0; i < COLORS.length; i++) {
                COLORS[i] = FlowColors.color(i % SIDE - HALF, i / SIDE - HALF, HALF);
            }
        }
    }

    private FlowColorTable() {}

    /**
     * Paints flow as {@link FlowColors#toArgb(FlowField, double, int)}.
     *
     * @param maxFlow the motion in pixels that gets full colour, above 0
     * @param opacity 0 to 255
     */
    static int[] toArgb(FlowField flow, double maxFlow, int opacity) {
        float[] uv = flow.uv();
        int[] argb = new int[uv.length / 2];
        int[] colors = Entries.COLORS;
        float scale = (float) (HALF / maxFlow);
        int alpha = opacity << 24;
        for (int i = 0; i < argb.length; i++) {
            float u = uv[2 * i] * scale;
            float v = uv[2 * i + 1] * scale;
            if (Math.abs(u) <= HALF && Math.abs(v) <= HALF) { // false for NaN
                // The nearest entry: both sums are above 0, so that the cast rounds down.
                int column = (int) (u + (HALF + 0.5f));
                int row = (int) (v + (HALF + 0.5f));
                argb[i] = alpha | colors[row * Entries.SIDE + column];
            } else if (FlowField.isKnown(uv[2 * i], uv[2 * i + 1])) {
                argb[i] = alpha | FlowColors.color(u, v, HALF);
            }
        }
        return argb;
    }
}
