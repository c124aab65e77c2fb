package org.tfflow.core.image;

/**
 * The colours of {@link FlowColors}, looked up: many times faster, and at most two levels apart. A
 * phone paints each frame so, where the exact colours would cost as much time as the network.
 */
public final class FlowColorTable {
    private static final int FULL = 256; // entries from no motion to maxFlow
    private static final int EDGE = 320; // entries to the table's edge: well in the darker colours
    private static final int SIDE = 2 * EDGE + 1;

    /** 0xRRGGBB, a row for each v from -EDGE to EDGE, columns of u; made once, 1.6 megabytes. */
    private static final class Entries {
        static final int[] COLORS = new int[SIDE * SIDE];

        static {
            for (int i = 0; i < COLORS.length; i++) {
                COLORS[i] = FlowColors.color(i % SIDE - EDGE, i / SIDE - EDGE, FULL);
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
    public static int[] toArgb(FlowField flow, double maxFlow, int opacity) {
        float[] uv = flow.uv();
        int[] argb = new int[uv.length / 2];
        int[] colors = Entries.COLORS;
        float scale = (float) (FULL / maxFlow);
        int alpha = opacity << 24;
        for (int i = 0; i < argb.length; i++) {
            if (!FlowField.isKnown(uv[2 * i], uv[2 * i + 1])) {
                continue;
            }
            float u = uv[2 * i] * scale;
            float v = uv[2 * i + 1] * scale;
            float longer = Math.max(Math.abs(u), Math.abs(v));
            if (longer > EDGE) { // beyond maxFlow the direction alone makes the colour
                u *= EDGE / longer;
                v *= EDGE / longer;
            }
            // The nearest entry: the sums are above 0, so that the cast rounds down.
            int column = (int) (u + (EDGE + 0.5f));
            int row = (int) (v + (EDGE + 0.5f));
            argb[i] = alpha | colors[row * SIDE + column];
        }
        return argb;
    }
}
