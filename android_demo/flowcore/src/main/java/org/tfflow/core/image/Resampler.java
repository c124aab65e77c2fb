package org.tfflow.core.image;

import java.util.Arrays;

/**
 * Bilinear resizing to one size, as {@code tfflow.models.prediction.resize} does it: half-pixel
 * centres, the edge repeated.
 *
 * <p>Not thread-safe: it keeps two rows.
 */
final class Resampler {
    /** One axis: the source places that each target place is made of, and their weights. */
    private static final class Axis {
        final int taps; // of each target place
        final int[] places;
        final float[] weights;

        /**
         * The {@code length} places of the source from {@code start} on become the target. Beyond
         * them the outermost pixel counts whose centre is within: what is next to it is of a bar.
         */
        Axis(int source, double start, double length, int target, boolean antialias) {
            double step = length / target;
            double reach = antialias ? Math.max(step, 1) : 1;
            taps = start == 0 && length == target ? 1 : (int) Math.ceil(2 * reach);
            places = new int[target * taps];
            weights = new float[target * taps];
            double[] shares = new double[taps];
            int middle = within((int) Math.floor(start + length / 2), 0, source - 1);
            int low = within((int) Math.ceil(start - 0.5), 0, middle);
            int high = within((int) Math.floor(start + length - 0.5), middle, source - 1);
            for (int i = 0; i < target; i++) {
                double centre = start + (i + 0.5) * step - 0.5;
                int first = (int) Math.floor(centre - reach) + 1;
                double sum = 0;
                for (int tap = 0; tap < taps; tap++) {
                    int place = first + tap;
                    boolean there = place >= low && place <= high;
                    double share = Math.max(1 - Math.abs(place - centre) / reach, 0);
                    shares[tap] = there || !antialias ? share : 0;
                    sum += shares[tap];
                    places[i * taps + tap] = within(place, low, high);
                }
                for (int tap = 0; tap < taps; tap++) {
                    weights[i * taps + tap] = (float) (shares[tap] / sum);
                }
            }
        }
    }

    private static int within(int number, int least, int most) {
        return Math.min(Math.max(number, least), most);
    }

    /** Where rows of numbers come from. */
    interface Rows {
        /** Writes all numbers of one row of the source: width · channels. */
        void read(int y, float[] row);
    }

    private final int width;
    private final int channels;
    private final Axis columns;
    private final Axis rows;
    private final float[] one;
    private final float[] sum;

    /**
     * @param antialias whether an axis that shrinks is averaged, with a triangle as wide as the
     *     reduction
     */
    Resampler(
            int sourceWidth,
            int sourceHeight,
            int width,
            int height,
            int channels,
            boolean antialias) {
        Sizes.count("source", sourceWidth, sourceHeight, channels);
        Sizes.count("target", width, height, channels);
        this.width = width;
        this.channels = channels;
        columns = new Axis(sourceWidth, 0, sourceWidth, width, antialias);
        rows = new Axis(sourceHeight, 0, sourceHeight, height, antialias);
        one = new float[sourceWidth * channels];
        sum = new float[sourceWidth * channels];
    }

    /**
     * Resizes a part of a map of one channel, whose edges may lie within its pixels.
     *
     * @param left the part's left edge, in pixels of the source; likewise the next three
     */
    Resampler(
            int sourceWidth,
            int sourceHeight,
            double left,
            double top,
            double partWidth,
            double partHeight,
            int width,
            int height) {
        Sizes.count("target", width, height, 1);
        this.width = width;
        channels = 1;
        columns = new Axis(sourceWidth, left, partWidth, width, false);
        rows = new Axis(sourceHeight, top, partHeight, height, false);
        one = new float[sourceWidth];
        sum = new float[sourceWidth];
    }

    /** One row of the result, written from {@code offset} on. */
    void row(Rows source, int y, float[] out, int offset) {
        Arrays.fill(sum, 0);
        for (int tap = y * rows.taps; tap < (y + 1) * rows.taps; tap++) {
            source.read(rows.places[tap], one);
            float weight = rows.weights[tap];
            for (int i = 0; i < sum.length; i++) {
                sum[i] += one[i] * weight;
            }
        }
        int at = offset;
        for (int x = 0; x < width; x++) {
            for (int c = 0; c < channels; c++) {
                float value = 0;
                for (int tap = x * columns.taps; tap < (x + 1) * columns.taps; tap++) {
                    value += sum[columns.places[tap] * channels + c] * columns.weights[tap];
                }
                out[at++] = value;
            }
        }
    }
}
