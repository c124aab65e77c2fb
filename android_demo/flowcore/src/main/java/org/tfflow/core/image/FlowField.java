package org.tfflow.core.image;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Dense optical flow: (u, v) in pixels for each pixel, u to the right, v downwards; with the
 * network's confidence in it, if it gives one.
 */
public final class FlowField {
    /** A component larger than this (in pixels), or NaN, means that the flow is not known. */
    public static final float UNKNOWN = 1e9f;

    /**
     * Flow of a confidence below this is doubtful: the threshold with which RillFlow's confidence
     * finds what the second picture hides, in docs/trust.md.
     */
    public static final float DOUBTFUL = 0.35f;

    private static final float MARK = 1e10f; // of unknown flow, as .flo files have it

    private final int width;
    private final int height;
    private final float[] uv;
    private final float @Nullable [] confidence;

    /**
     * @param uv u and v of each pixel, rows from the top: 2 · width · height numbers; not copied
     * @throws IllegalArgumentException if the array's length does not fit
     */
    public FlowField(int width, int height, float[] uv) {
        this(width, height, uv, null);
    }

    /**
     * @param uv u and v of each pixel, rows from the top: 2 · width · height numbers; not copied
     * @param confidence of each pixel, in [0, 1], how far the network trusts its flow; null if it
     *     does not say; not copied
     * @throws IllegalArgumentException if an array's length does not fit
     */
    public FlowField(int width, int height, float[] uv, float @Nullable [] confidence) {
        Objects.requireNonNull(uv, "uv");
        Sizes.checkLength("flow", Sizes.count("flow", width, height, 2), uv.length);
        this.width = width;
        this.height = height;
        this.uv = uv;
        if (confidence != null) {
            Sizes.checkLength("confidence", width * height, confidence.length);
        }
        this.confidence = confidence;
    }

    /** In pixels. */
    public int width() {
        return width;
    }

    /** In pixels. */
    public int height() {
        return height;
    }

    /** The field's own array, not a copy. */
    public float[] uv() {
        return uv;
    }

    /** Motion to the right at a pixel, in pixels. */
    public float u(int x, int y) {
        return uv[2 * (y * width + x)];
    }

    /** Motion downwards at a pixel, in pixels. */
    public float v(int x, int y) {
        return uv[2 * (y * width + x) + 1];
    }

    /** Whether the network has said how far it trusts its flow. */
    public boolean hasConfidence() {
        return confidence != null;
    }

    /**
     * How far the network trusts its flow at a pixel, in [0, 1].
     *
     * @throws IllegalStateException if it has not said
     */
    public float confidence(int x, int y) {
        return confidence()[y * width + x];
    }

    private float[] confidence() {
        if (confidence == null) {
            throw new IllegalStateException(
                    "this flow has no confidence: export the network with --confidence");
        }
        return confidence;
    }

    /**
     * The same flow, but not known where its confidence is below a threshold, such as {@link
     * #DOUBTFUL}.
     *
     * @throws IllegalStateException if it has no confidence
     */
    public FlowField withoutDoubtful(float threshold) {
        float[] trust = confidence();
        float[] known = uv.clone();
        for (int i = 0; i < trust.length; i++) {
            if (!(trust[i] >= threshold)) { // NaN is doubtful
                known[2 * i] = MARK;
                known[2 * i + 1] = MARK;
            }
        }
        return new FlowField(width, height, known, trust);
    }

    /** Whether the flow is known at a pixel. */
    public boolean isKnown(int x, int y) {
        return isKnown(u(x, y), v(x, y));
    }

    static boolean isKnown(float u, float v) {
        return Math.abs(u) <= UNKNOWN && Math.abs(v) <= UNKNOWN;
    }

    /** The largest motion among the known pixels, in pixels; 0 if there is none. */
    public double largestMotion() {
        double largest = 0;
        for (int i = 0; i < uv.length; i += 2) {
            if (isKnown(uv[i], uv[i + 1])) {
                double u = uv[i];
                double v = uv[i + 1];
                largest = Math.max(largest, u * u + v * v);
            }
        }
        return Math.sqrt(largest);
    }

    /** The part from (left, top) on; its motions, and its confidence, stay as they are. */
    public FlowField crop(int left, int top, int cropWidth, int cropHeight) {
        if (left < 0 || top < 0 || left + cropWidth > width || top + cropHeight > height) {
            throw new IllegalArgumentException(
                    "a part of " + cropWidth + " x " + cropHeight + " at (" + left + ", " + top
                            + ") is not inside " + width + " x " + height);
        }
        return new FlowField(
                cropWidth,
                cropHeight,
                part(uv, 2, left, top, cropWidth, cropHeight),
                confidence == null
                        ? null
                        : part(confidence, 1, left, top, cropWidth, cropHeight));
    }

    private float[] part(
            float[] values, int channels, int left, int top, int cropWidth, int cropHeight) {
        float[] part = new float[Sizes.count("part", cropWidth, cropHeight, channels)];
        int row = channels * cropWidth;
        for (int y = 0; y < cropHeight; y++) {
            System.arraycopy(
                    values, channels * ((top + y) * width + left), part, y * row, row);
        }
        return part;
    }

    /**
     * The same motion at another size: resized bilinearly, and in pixels of the new size. As {@code
     * tfflow.models.prediction.rescale}. Confidence is resized likewise.
     */
    public FlowField resize(int newWidth, int newHeight) {
        if (newWidth == width && newHeight == height) {
            float[] same = confidence == null ? null : confidence.clone();
            return new FlowField(width, height, uv.clone(), same);
        }
        float[] resized = resized(uv, 2, newWidth, newHeight);
        float right = (float) ((double) newWidth / width);
        float down = (float) ((double) newHeight / height);
        for (int i = 0; i < resized.length; i += 2) {
            resized[i] *= right;
            resized[i + 1] *= down;
        }
        float[] trust = confidence == null ? null : resized(confidence, 1, newWidth, newHeight);
        return new FlowField(newWidth, newHeight, resized, trust);
    }

    private float[] resized(float[] values, int channels, int newWidth, int newHeight) {
        Resampler resampler =
                new Resampler(width, height, newWidth, newHeight, channels, false);
        Resampler.Rows rows =
                (y, row) -> System.arraycopy(values, y * row.length, row, 0, row.length);
        float[] resized = new float[channels * newWidth * newHeight];
        for (int y = 0; y < newHeight; y++) {
            resampler.row(rows, y, resized, channels * y * newWidth);
        }
        return resized;
    }
}
