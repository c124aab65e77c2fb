package org.tfflow.core;

import java.util.Arrays;

/**
 * Moves a box along with what is in it, by the flow from its picture to the next.
 *
 * <p>The box is shifted by the median motion of a grid of points inside it, and grows as the
 * distances between the points do (their median again): outliers, such as background in the corners,
 * do not count. The idea is Median Flow's (Kalal et al., Forward-Backward Error, ICPR 2010), on dense
 * flow.
 */
public final class BoxPropagation {
    private static final int GRID = 8; // points across and down
    private static final double LEAST_SIDE = 4; // px; a smaller box keeps its size
    private static final double MOST_GROWTH = 1.2; // from one picture to the next

    private BoxPropagation() {}

    /**
     * The box in the next picture.
     *
     * @param flow from the box's picture to the next, in its pixels
     * @return the moved box, which may lie outside the picture; the same box where no flow is known
     */
    public static Box move(Box box, FlowField flow) {
        double[] u = new double[GRID * GRID];
        double[] v = new double[GRID * GRID];
        double[] growth = new double[GRID * GRID];
        int known = 0;
        int pairs = 0;
        for (int i = 0; i < GRID * GRID; i++) {
            // Points in the middle of the grid's cells, at both ends of a line through the centre.
            double across = (i % GRID + 0.5) / GRID;
            double down = (i / GRID + 0.5) / GRID;
            float[] here = motion(box, flow, across, down);
            if (here == null) {
                continue;
            }
            u[known] = here[0];
            v[known++] = here[1];
            float[] opposite = motion(box, flow, 1 - across, 1 - down);
            if (opposite != null) {
                double dx = (1 - 2 * across) * box.width();
                double dy = (1 - 2 * down) * box.height();
                double now = Math.hypot(dx + opposite[0] - here[0], dy + opposite[1] - here[1]);
                growth[pairs++] = now / Math.max(Math.hypot(dx, dy), 1e-6);
            }
        }
        if (known == 0) {
            return box;
        }
        boolean resizes = pairs > 0 && Math.min(box.width(), box.height()) >= LEAST_SIDE;
        double scale = resizes ? median(growth, pairs) : 1;
        scale = Math.min(Math.max(scale, 1 / MOST_GROWTH), MOST_GROWTH);
        double x = (box.left() + box.right()) / 2.0 + median(u, known);
        double y = (box.top() + box.bottom()) / 2.0 + median(v, known);
        double halfWidth = box.width() / 2.0 * scale;
        double halfHeight = box.height() / 2.0 * scale;
        return new Box(
                (float) (x - halfWidth),
                (float) (y - halfHeight),
                (float) (x + halfWidth),
                (float) (y + halfHeight),
                box.score(),
                box.label());
    }

    /** (u, v) in pixels at a point of the box; null outside the picture or where it is unknown. */
    private static float[] motion(Box box, FlowField flow, double across, double down) {
        int x = (int) Math.floor(box.left() + across * box.width());
        int y = (int) Math.floor(box.top() + down * box.height());
        boolean inside = x >= 0 && y >= 0 && x < flow.width() && y < flow.height();
        if (!inside || !flow.isKnown(x, y)) {
            return null;
        }
        return new float[] {flow.u(x, y), flow.v(x, y)};
    }

    private static double median(double[] values, int count) {
        double[] sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    }
}
