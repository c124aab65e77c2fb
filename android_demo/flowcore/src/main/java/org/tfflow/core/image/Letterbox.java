package org.tfflow.core.image;

import java.util.Arrays;
/**
 * How a picture lies in a network's input of another size, and back from there.
 *
 * <p>Coordinates are in pixels, (0, 0) at the outer corner at the top left: a pixel's centre is at
 * its index plus 0.5. Not thread-safe.
 */
public final class Letterbox {
    // A byte's value in [0, 1]: looking it up is cheaper than dividing.
    private static final float[] LEVELS = new float[256];

    static {
        for (int i = 0; i < LEVELS.length; i++) {
            LEVELS[i] = i / 255f;
        }
    }

    private final int sourceWidth;
    private final int sourceHeight;
    private final int targetWidth;
    private final int targetHeight;
    private final int left;
    private final int top;
    private final int innerWidth;
    private final int innerHeight;
    private final Resampler resampler;

    private Letterbox(
            int sourceWidth,
            int sourceHeight,
            int targetWidth,
            int targetHeight,
            int innerWidth,
            int innerHeight) {
        this.sourceWidth = sourceWidth;
        this.sourceHeight = sourceHeight;
        this.targetWidth = targetWidth;
        this.targetHeight = targetHeight;
        this.innerWidth = innerWidth;
        this.innerHeight = innerHeight;
        left = (targetWidth - innerWidth) / 2;
        top = (targetHeight - innerHeight) / 2;
        resampler =
                new Resampler(sourceWidth, sourceHeight, innerWidth, innerHeight, 3, true);
    }

    /** The whole target is filled, each side scaled by itself, as {@code predict_flow} does. */
    public static Letterbox stretch(
            int sourceWidth, int sourceHeight, int targetWidth, int targetHeight) {
        return new Letterbox(
                sourceWidth, sourceHeight, targetWidth, targetHeight, targetWidth, targetHeight);
    }

    /** Both sides are scaled alike; black bars fill what is left, half on each side. */
    public static Letterbox fit(
            int sourceWidth, int sourceHeight, int targetWidth, int targetHeight) {
        Sizes.count("source", sourceWidth, sourceHeight, 3);
        Sizes.count("target", targetWidth, targetHeight, 3);
        double scale =
                Math.min(
                        (double) targetWidth / sourceWidth, (double) targetHeight / sourceHeight);
        int width = (int) Math.max(1, Math.min(targetWidth, Math.round(sourceWidth * scale)));
        int height = (int) Math.max(1, Math.min(targetHeight, Math.round(sourceHeight * scale)));
        return new Letterbox(
                sourceWidth, sourceHeight, targetWidth, targetHeight, width, height);
    }

    /** Whether it is made for pictures of this size. */
    public boolean takes(int width, int height) {
        return width == sourceWidth && height == sourceHeight;
    }

    /** The picture's part of the target: its left edge, in pixels. */
    public int left() {
        return left;
    }

    /** Its upper edge, in pixels. */
    public int top() {
        return top;
    }

    /** Its width, in pixels. */
    public int innerWidth() {
        return innerWidth;
    }

    /** Its height, in pixels. */
    public int innerHeight() {
        return innerHeight;
    }

    /**
     * The target's values: red, green and blue in [0, 1], black on the bars. Nothing is rounded to
     * whole levels on the way.
     *
     * @param values room for 3 · target width · target height numbers
     */
    public void apply(RgbImage image, float[] values) {
        if (!takes(image.width(), image.height())) {
            throw new IllegalArgumentException(
                    "expected a picture of " + sourceWidth + " x " + sourceHeight + "; got "
                            + image.width() + " x " + image.height());
        }
        Sizes.checkLength("values", 3 * targetWidth * targetHeight, values.length);
        if (innerWidth != targetWidth || innerHeight != targetHeight) {
            Arrays.fill(values, 0);
        }
        byte[] bytes = image.bytes();
        Resampler.Rows rows = (y, row) -> readRow(bytes, y, row);
        for (int y = 0; y < innerHeight; y++) {
            resampler.row(rows, y, values, 3 * ((top + y) * targetWidth + left));
        }
    }

    /**
     * Flow of the target as flow of the picture, shown at any size: without the bars, resized, and
     * in pixels of the new size.
     */
    public FlowField restore(FlowField flow, int viewWidth, int viewHeight) {
        if (flow.width() != targetWidth || flow.height() != targetHeight) {
            throw new IllegalArgumentException(
                    "expected flow of " + targetWidth + " x " + targetHeight + "; got "
                            + flow.width() + " x " + flow.height());
        }
        boolean whole = innerWidth == targetWidth && innerHeight == targetHeight;
        FlowField inner = whole ? flow : flow.crop(left, top, innerWidth, innerHeight);
        return inner.resize(viewWidth, viewHeight);
    }

    /**
     * A map of the target, of any size, as a map of the picture, shown at any size: without the
     * bars, and resized.
     *
     * @param map a number for each of its pixels, rows from the top
     * @return viewWidth · viewHeight numbers, likewise
     */
    public float[] restoreMap(
            float[] map, int mapWidth, int mapHeight, int viewWidth, int viewHeight) {
        Sizes.checkLength("map", Sizes.count("map", mapWidth, mapHeight, 1), map.length);
        double across = (double) mapWidth / targetWidth;
        double down = (double) mapHeight / targetHeight;
        Resampler part =
                new Resampler(
                        mapWidth,
                        mapHeight,
                        across * left,
                        down * top,
                        across * innerWidth,
                        down * innerHeight,
                        viewWidth,
                        viewHeight);
        Resampler.Rows rows =
                (y, row) -> System.arraycopy(map, y * mapWidth, row, 0, mapWidth);
        float[] restored = new float[viewWidth * viewHeight];
        for (int y = 0; y < viewHeight; y++) {
            part.row(rows, y, restored, y * viewWidth);
        }
        return restored;
    }

    private static void readRow(byte[] bytes, int y, float[] row) {
        int at = y * row.length;
        for (int i = 0; i < row.length; i++) {
            row[i] = LEVELS[bytes[at + i] & 0xff];
        }
    }
}
