package org.tfflow.core.image;

/**
 * Bilinear resizing to one size, as tfflow does it everywhere: half-pixel centres, the edge repeated,
 * no antialiasing. The arithmetic is that of {@code tfflow.models.prediction.resize}, bit for bit.
 *
 * <p>Not thread-safe: it keeps two rows.
 */
final class Resampler {
    /** One axis: the two source places of each target place, and the second's share. */
    private static final class Axis {
        final int[] before;
        final int[] after;
        final float[] share;

        Axis(int source, int target) {
            before = new int[target];
            after = new int[target];
            share = new float[target];
            double scale = (double) source / target;
            for (int i = 0; i < target; i++) {
                double position = (i + 0.5) * scale - 0.5;
                position = Math.min(Math.max(position, 0), source - 1);
                before[i] = (int) Math.floor(position);
                after[i] = Math.min(before[i] + 1, source - 1);
                share[i] = (float) (position - before[i]);
            }
        }
    }

    /** Where rows of numbers come from. */
    interface Rows {
        /** Writes all numbers of one row of the source: width · channels. */
        void read(int y, float[] row);
    }

    private final int channels;
    private final Axis columns;
    private final Axis rows;
    private final float[] above;
    private final float[] below;

    Resampler(int sourceWidth, int sourceHeight, int width, int height, int channels) {
        Sizes.count("source", sourceWidth, sourceHeight, channels);
        Sizes.count("target", width, height, channels);
        this.channels = channels;
        columns = new Axis(sourceWidth, width);
        rows = new Axis(sourceHeight, height);
        above = new float[sourceWidth * channels];
        below = new float[sourceWidth * channels];
    }

    /** One row of the result, written from {@code offset} on. */
    void row(Rows source, int y, float[] out, int offset) {
        source.read(rows.before[y], above);
        source.read(rows.after[y], below);
        float down = rows.share[y];
        for (int i = 0; i < above.length; i++) {
            above[i] += (below[i] - above[i]) * down;
        }
        int at = offset;
        for (int x = 0; x < columns.share.length; x++) {
            int left = columns.before[x] * channels;
            int right = columns.after[x] * channels;
            float across = columns.share[x];
            for (int c = 0; c < channels; c++) {
                float value = above[left + c];
                out[at++] = value + (above[right + c] - value) * across;
            }
        }
    }
}
