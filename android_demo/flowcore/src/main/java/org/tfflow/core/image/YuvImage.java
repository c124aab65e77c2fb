package org.tfflow.core.image;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A camera's picture as Android's YUV_420_888 gives it: a plane of brightness (Y), and two of colour
 * (U, V) with half the width and half the height, rounded up.
 */
public final class YuvImage {
    /** One plane: its bytes, from row to row and from pixel to pixel. */
    public static final class Plane {
        private final ByteBuffer bytes;
        private final int rowStride;
        private final int pixelStride;

        /**
         * @param bytes the plane, from the buffer's position on; not copied
         * @param rowStride bytes from a row's start to the next's
         * @param pixelStride bytes from a pixel to the next: 1, or 2 where U and V share an array
         */
        public Plane(ByteBuffer bytes, int rowStride, int pixelStride) {
            if (rowStride < 1 || pixelStride < 1) {
                throw new IllegalArgumentException(
                        "strides must be at least 1 byte; got row stride " + rowStride
                                + ", pixel stride " + pixelStride);
            }
            this.bytes = bytes.slice();
            this.rowStride = rowStride;
            this.pixelStride = pixelStride;
        }

        /** A row's pixels, without what lies between them. */
        private void readRow(int y, byte[] row, int width) {
            ByteBuffer from = bytes.duplicate();
            from.position(y * rowStride);
            if (pixelStride == 1) {
                from.get(row, 0, width);
                return;
            }
            int base = y * rowStride;
            for (int x = 0; x < width; x++) {
                row[x] = bytes.get(base + x * pixelStride);
            }
        }

        /** The last row may end with its last pixel: no padding follows it. */
        private void check(String name, int width, int height) {
            long needed = (long) (height - 1) * rowStride + (long) (width - 1) * pixelStride + 1;
            if (bytes.limit() < needed || rowStride < (width - 1) * pixelStride + 1) {
                throw new IllegalArgumentException(
                        "plane " + name + " of " + width + " x " + height
                                + " pixels, row stride " + rowStride + " and pixel stride "
                                + pixelStride + " needs " + needed + " bytes; got "
                                + bytes.limit());
            }
        }

        private Plane from(int x, int y) {
            ByteBuffer rest = bytes.duplicate();
            rest.position(y * rowStride + x * pixelStride);
            return new Plane(rest, rowStride, pixelStride);
        }

        /** The means of blocks of factor x factor pixels; width and height are the result's. */
        private Plane means(int width, int height, int factor) {
            byte[] means = new byte[width * height];
            byte[] row = new byte[width * factor];
            int[] sums = new int[width];
            for (int y = 0; y < height; y++) {
                Arrays.fill(sums, factor * factor / 2); // so that it rounds
                for (int line = y * factor; line < (y + 1) * factor; line++) {
                    readRow(line, row, row.length);
                    for (int x = 0; x < row.length; x++) {
                        sums[x / factor] += row[x] & 0xff;
                    }
                }
                for (int x = 0; x < width; x++) {
                    means[y * width + x] = (byte) (sums[x] / (factor * factor));
                }
            }
            return new Plane(ByteBuffer.wrap(means), width, 1);
        }

        private Plane packed(int width, int height) {
            byte[] copy = new byte[width * height];
            byte[] row = new byte[width];
            for (int y = 0; y < height; y++) {
                readRow(y, row, width);
                System.arraycopy(row, 0, copy, y * width, width);
            }
            return new Plane(ByteBuffer.wrap(copy), width, 1);
        }
    }

    private final int width;
    private final int height;
    private final Plane y;
    private final Plane u;
    private final Plane v;
    private final YuvColors colors;

    /** As the other, in a camera's colours. */
    public YuvImage(int width, int height, Plane y, Plane u, Plane v) {
        this(width, height, y, u, v, YuvColors.CAMERA);
    }

    /**
     * @param width in pixels
     * @param height in pixels
     * @param y brightness, width x height
     * @param u blue minus brightness, half the size
     * @param v red minus brightness, half the size
     * @throws IllegalArgumentException if a plane is too small
     */
    public YuvImage(int width, int height, Plane y, Plane u, Plane v, YuvColors colors) {
        Sizes.count("image", width, height, 3);
        y.check("Y", width, height);
        u.check("U", half(width), half(height));
        v.check("V", half(width), half(height));
        this.width = width;
        this.height = height;
        this.y = y;
        this.u = u;
        this.v = v;
        this.colors = colors;
    }

    /** In pixels. */
    public int width() {
        return width;
    }

    /** In pixels. */
    public int height() {
        return height;
    }

    /** The same picture in arrays of its own: the camera may have its buffers back. */
    public YuvImage copy() {
        return new YuvImage(
                width,
                height,
                y.packed(width, height),
                u.packed(half(width), half(height)),
                v.packed(half(width), half(height)),
                colors);
    }

    /**
     * A part of it, without a copy: decoders pad their pictures. An odd left or upper edge moves out
     * by one, where a colour sample begins.
     *
     * @throws IllegalArgumentException if the part is not inside
     */
    public YuvImage crop(int left, int top, int partWidth, int partHeight) {
        boolean inside =
                left >= 0
                        && top >= 0
                        && left + partWidth <= width
                        && top + partHeight <= height;
        if (!inside) {
            throw new IllegalArgumentException(
                    "a part of " + partWidth + " x " + partHeight + " at (" + left + ", " + top
                            + ") is not inside " + width + " x " + height);
        }
        int column = left / 2;
        int row = top / 2;
        return new YuvImage(
                partWidth + left % 2,
                partHeight + top % 2,
                y.from(2 * column, 2 * row),
                u.from(column, row),
                v.from(column, row),
                colors);
    }

    /**
     * A smaller copy of a large picture: the means of 2 x 2 pixels, or of 3 x 3, and so on. What is
     * left over at the right and below is cut off.
     *
     * @param side in pixels: the copy's longer side is at most this
     * @return this picture if it is small enough
     */
    public YuvImage within(int side) {
        int factor = (Math.max(width, height) + side - 1) / side;
        int smallWidth = width / (2 * factor) * 2;
        int smallHeight = height / (2 * factor) * 2;
        if (factor == 1 || smallWidth == 0 || smallHeight == 0) {
            return this;
        }
        return new YuvImage(
                smallWidth,
                smallHeight,
                y.means(smallWidth, smallHeight, factor),
                u.means(smallWidth / 2, smallHeight / 2, factor),
                v.means(smallWidth / 2, smallHeight / 2, factor),
                colors);
    }

    /** As RGB: each colour sample serves the two by two pixels that it covers. */
    public RgbImage toRgb() {
        RgbImage image = new RgbImage(width, height);
        byte[] rgb = image.bytes();
        byte[] ys = new byte[width];
        byte[] us = new byte[half(width)];
        byte[] vs = new byte[half(width)];
        for (int row = 0; row < height; row++) {
            y.readRow(row, ys, width);
            if (row % 2 == 0) {
                u.readRow(row / 2, us, us.length);
                v.readRow(row / 2, vs, vs.length);
            }
            colors.convert(ys, us, vs, rgb, 3 * width * row);
        }
        return image;
    }

    private static int half(int side) {
        return (side + 1) / 2;
    }
}
