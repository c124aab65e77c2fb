package org.tfflow.core.image;

import java.util.Objects;

/** Dense optical flow: (u, v) in pixels for each pixel, u to the right, v downwards. */
public final class FlowField {
    /** A component larger than this (in pixels), or NaN, means that the flow is not known. */
    public static final float UNKNOWN = 1e9f;

    private final int width;
    private final int height;
    private final float[] uv;

    /**
     * @param uv u and v of each pixel, rows from the top: 2 · width · height numbers; not copied
     * @throws IllegalArgumentException if the array's length does not fit
     */
    public FlowField(int width, int height, float[] uv) {
        Objects.requireNonNull(uv, "uv");
        Sizes.checkLength("flow", Sizes.count("flow", width, height, 2), uv.length);
        this.width = width;
        this.height = height;
        this.uv = uv;
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

    /** The part from (left, top) on; its motions stay as they are. */
    public FlowField crop(int left, int top, int cropWidth, int cropHeight) {
        if (left < 0 || top < 0 || left + cropWidth > width || top + cropHeight > height) {
            throw new IllegalArgumentException(
                    "a part of " + cropWidth + " x " + cropHeight + " at (" + left + ", " + top
                            + ") is not inside " + width + " x " + height);
        }
        float[] part = new float[Sizes.count("part", cropWidth, cropHeight, 2)];
        for (int y = 0; y < cropHeight; y++) {
            System.arraycopy(
                    uv, 2 * ((top + y) * width + left), part, 2 * y * cropWidth, 2 * cropWidth);
        }
        return new FlowField(cropWidth, cropHeight, part);
    }

    /**
     * The same motion at another size: resized bilinearly, and in pixels of the new size. As {@code
     * tfflow.models.prediction.rescale}.
     */
    public FlowField resize(int newWidth, int newHeight) {
        if (newWidth == width && newHeight == height) {
            return new FlowField(width, height, uv.clone());
        }
        Resampler resampler = new Resampler(width, height, newWidth, newHeight, 2, false);
        float[] resized = new float[2 * newWidth * newHeight];
        for (int y = 0; y < newHeight; y++) {
            resampler.row(this::readRow, y, resized, 2 * y * newWidth);
        }
        float right = (float) ((double) newWidth / width);
        float down = (float) ((double) newHeight / height);
        for (int i = 0; i < resized.length; i += 2) {
            resized[i] *= right;
            resized[i + 1] *= down;
        }
        return new FlowField(newWidth, newHeight, resized);
    }

    private void readRow(int y, float[] row) {
        System.arraycopy(uv, y * row.length, row, 0, row.length);
    }
}
