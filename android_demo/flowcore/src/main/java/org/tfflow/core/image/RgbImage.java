package org.tfflow.core.image;

import java.util.Objects;

/** An RGB picture: three bytes (0 to 255, unsigned) for a pixel, rows from the top, no padding. */
public final class RgbImage {
    private final int width;
    private final int height;
    private final byte[] bytes;

    /** A black picture. */
    public RgbImage(int width, int height) {
        this(width, height, new byte[Sizes.count("image", width, height, 3)]);
    }

    /**
     * A picture around an array, which is not copied.
     *
     * @param bytes red, green, blue of each pixel: 3 · width · height bytes
     * @throws IllegalArgumentException if the array's length does not fit
     */
    public RgbImage(int width, int height, byte[] bytes) {
        Objects.requireNonNull(bytes, "bytes");
        Sizes.checkLength("image", Sizes.count("image", width, height, 3), bytes.length);
        this.width = width;
        this.height = height;
        this.bytes = bytes;
    }

    /** In pixels. */
    public int width() {
        return width;
    }

    /** In pixels. */
    public int height() {
        return height;
    }

    /** The picture's own array, not a copy. */
    public byte[] bytes() {
        return bytes;
    }

    /** One channel (0 red, 1 green, 2 blue) of one pixel, 0 to 255. */
    public int get(int x, int y, int channel) {
        return bytes[(y * width + x) * 3 + channel] & 0xff;
    }

    /** The pixels as opaque ARGB, one int each, as Android's Bitmap and AWT take them. */
    public int[] toArgb() {
        int[] argb = new int[width * height];
        for (int i = 0, b = 0; i < argb.length; i++, b += 3) {
            argb[i] =
                    0xff000000
                            | (bytes[b] & 0xff) << 16
                            | (bytes[b + 1] & 0xff) << 8
                            | bytes[b + 2] & 0xff;
        }
        return argb;
    }

    /**
     * A picture of ARGB pixels; their alpha is dropped.
     *
     * @param argb width · height pixels
     */
    public static RgbImage fromArgb(int width, int height, int[] argb) {
        RgbImage image = new RgbImage(width, height);
        Sizes.checkLength("argb", width * height, argb.length);
        for (int i = 0, b = 0; i < argb.length; i++, b += 3) {
            image.bytes[b] = (byte) (argb[i] >> 16);
            image.bytes[b + 1] = (byte) (argb[i] >> 8);
            image.bytes[b + 2] = (byte) argb[i];
        }
        return image;
    }
}
