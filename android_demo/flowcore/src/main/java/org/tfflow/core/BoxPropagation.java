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
        double[] x = new double[GRID * GRID];
        double[] y = new double[GRID * GRID];
        double[] u = new double[GRID * GRID];
        double[] v = new double[GRID * GRID];
        int known = 0;
        for (int i = 0; i < GRID * GRID; i++) {
            // Points in the middle of the grid's cells.
            x[known] = box.left() + (i % GRID + 0.5) / GRID * box.width();
            y[known] = box.top() + (i / GRID + 0.5) / GRID * box.height();
            int column = (int) Math.floor(x[known]);
            int row = (int) Math.floor(y[known]);
            if (column >= 0
                    && row >= 0
                    && column < flow.width()
                    && row < flow.height()
                    && flow.isKnown(column, row)) {
                u[known] = flow.u(column, row);
                v[known++] = flow.v(column, row);
            }
        }
        if (known == 0) {
            return box;
        }
        double centerX = (box.left() + box.right()) / 2.0 + median(u, known);
        double centerY = (box.top() + box.bottom()) / 2.0 + median(v, known);
        boolean resizes = known > 1 && Math.min(box.width(), box.height()) >= LEAST_SIDE;
        double scale = resizes ? growth(x, y, u, v, known) : 1;
        double halfWidth = box.width() / 2.0 * scale;
        double halfHeight = box.height() / 2.0 * scale;
        return new Box(
                (float) (centerX - halfWidth),
                (float) (centerY - halfHeight),
                (float) (centerX + halfWidth),
                (float) (centerY + halfHeight),
                box.score(),
                box.label());
    }

    /** By how much the distances between points grow: the median over all pairs, within bounds. */
    private static double growth(double[] x, double[] y, double[] u, double[] v, int count) {
        double[] growth = new double[count * (count - 1) / 2];
        int pairs = 0;
        for (int i = 1; i < count; i++) {
            for (int j = 0; j < i; j++) {
                double dx = x[i] - x[j];
                double dy = y[i] - y[j];
                double newX = dx + u[i] - u[j];
                double newY = dy + v[i] - v[j];
                growth[pairs++] = Math.sqrt((newX * newX + newY * newY) / (dx * dx + dy * dy));
            }
        }
        return Math.min(Math.max(median(growth, pairs), 1 / MOST_GROWTH), MOST_GROWTH);
    }

    private static double median(double[] values, int count) {
        double[] sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    }
}
