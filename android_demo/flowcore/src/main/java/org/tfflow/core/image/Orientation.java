package org.tfflow.core.image;

/** How a camera's picture is turned to stand upright: quarter turns, then a mirror. */
public final class Orientation {
    /** As it came. */
    public static final Orientation NONE = new Orientation(0, false);

    private final int quarters;
    private final boolean mirrored;

    private Orientation(int quarters, boolean mirrored) {
        this.quarters = quarters;
        this.mirrored = mirrored;
    }

    /**
     * @param degrees clockwise, a multiple of 90; may be negative or above 360
     * @param mirrored whether left and right are exchanged after the turn, as for a front camera
     * @throws IllegalArgumentException if it is no multiple of 90
     */
    public static Orientation of(int degrees, boolean mirrored) {
        if (degrees % 90 != 0) {
            throw new IllegalArgumentException(
                    "degrees must be a multiple of 90; got " + degrees);
        }
        return new Orientation(Math.floorMod(degrees / 90, 4), mirrored);
    }

    /** Whether width and height change places. */
    public boolean swapsSides() {
        return quarters % 2 == 1;
    }

    /** The picture, turned; the picture itself if there is nothing to turn. */
    public RgbImage apply(RgbImage image) {
        if (quarters == 0 && !mirrored) {
            return image;
        }
        int width = image.width();
        int height = image.height();
        RgbImage turned = swapsSides() ? new RgbImage(height, width) : new RgbImage(width, height);
        byte[] from = image.bytes();
        byte[] to = turned.bytes();
        int out = 0;
        for (int y = 0; y < turned.height(); y++) {
            // Where the row's first pixel lies in the source, and the step to the next.
            int first = source(mirrored ? turned.width() - 1 : 0, y, width, height);
            int second = source(mirrored ? turned.width() - 2 : 1, y, width, height);
            int step = second - first;
            for (int x = 0, at = first; x < turned.width(); x++, at += step) {
                to[out++] = from[3 * at];
                to[out++] = from[3 * at + 1];
                to[out++] = from[3 * at + 2];
            }
        }
        return turned;
    }

    /** The place in the source, in pixels from its start, of a pixel of the turned picture. */
    private int source(int x, int y, int width, int height) {
        switch (quarters) {
            case 1:
                return (height - 1 - x) * width + y;
            case 2:
                return (height - 1 - y) * width + width - 1 - x;
            case 3:
                return x * width + width - 1 - y;
            default:
                return y * width + x;
        }
    }
}
