package org.tfflow.core.image;

/**
 * From brightness and two colour differences, a byte each, to red, green and blue: which matrix, and
 * whether 0 to 255 is used or, as in most videos, 16 to 235 for Y and 16 to 240 for U and V.
 */
public final class YuvColors {
    /** BT.601, 0 to 255: as JPEG has it, and as Android's cameras give it. */
    public static final YuvColors CAMERA = new YuvColors(0.299, 0.114, true);

    // MediaFormat's COLOR_STANDARD_BT709, COLOR_STANDARD_BT2020 and COLOR_RANGE_FULL.
    private static final int BT709 = 1;
    private static final int BT2020 = 6;
    private static final int FULL = 1;
    private static final int HD = 720; // rows from which on a silent file means BT.709

    // In 65536ths.
    private final int darkest;
    private final int brightness;
    private final int redOfV;
    private final int greenOfU;
    private final int greenOfV;
    private final int blueOfU;

    /**
     * @param red the share of red in brightness
     * @param blue that of blue
     * @param full whether all of 0 to 255 is used
     */
    private YuvColors(double red, double blue, boolean full) {
        double green = 1 - red - blue;
        double brighter = full ? 1 : 255 / 219.0;
        double stronger = full ? 1 : 255 / 224.0;
        darkest = full ? 0 : 16;
        brightness = fixed(brighter);
        redOfV = fixed(stronger * 2 * (1 - red));
        blueOfU = fixed(stronger * 2 * (1 - blue));
        greenOfU = fixed(stronger * 2 * (1 - blue) * blue / green);
        greenOfV = fixed(stronger * 2 * (1 - red) * red / green);
    }

    /**
     * A video's colours.
     *
     * @param standard MediaFormat's KEY_COLOR_STANDARD; 0 if the file does not say
     * @param range MediaFormat's KEY_COLOR_RANGE; 0 if the file does not say
     * @param height in pixels: files that do not say are BT.709 from 720 rows on, BT.601 below
     */
    public static YuvColors ofVideo(int standard, int range, int height) {
        boolean full = range == FULL;
        if (standard == BT2020) {
            return new YuvColors(0.2627, 0.0593, full);
        }
        boolean hd = standard == BT709 || (standard == 0 && height >= HD);
        return hd ? new YuvColors(0.2126, 0.0722, full) : new YuvColors(0.299, 0.114, full);
    }

    private static int fixed(double factor) {
        return (int) Math.round(65536 * factor);
    }

    /** A row of pixels: y of each, u and v of each two, to rgb from {@code out} on. */
    void convert(byte[] y, byte[] u, byte[] v, byte[] rgb, int out) {
        int at = out;
        for (int x = 0; x < y.length; x++) {
            int light = brightness * ((y[x] & 0xff) - darkest) + 32768; // and half of one
            int blue = (u[x / 2] & 0xff) - 128;
            int red = (v[x / 2] & 0xff) - 128;
            rgb[at++] = clamp((light + redOfV * red) >> 16);
            rgb[at++] = clamp((light - greenOfU * blue - greenOfV * red) >> 16);
            rgb[at++] = clamp((light + blueOfU * blue) >> 16);
        }
    }

    private static byte clamp(int value) {
        return (byte) (value < 0 ? 0 : Math.min(value, 255));
    }
}
