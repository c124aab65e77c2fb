package org.tfflow.litert;

import android.graphics.Bitmap;
import org.tfflow.core.image.RgbImage;

/** Android's pictures as flowcore's. */
public final class Bitmaps {
    private Bitmaps() {}

    /** A bitmap's pixels, without alpha. */
    public static RgbImage rgb(Bitmap given) {
        // Those of pictures in the GPU's memory can't be read; Android 7 does not know such.
        boolean hidden = "HARDWARE".equals(String.valueOf(given.getConfig()));
        Bitmap bitmap = hidden ? given.copy(Bitmap.Config.ARGB_8888, false) : given;
        int width = bitmap.getWidth();
        int height = bitmap.getHeight();
        int[] argb = new int[width * height];
        bitmap.getPixels(argb, 0, width, 0, 0, width, height);
        return RgbImage.fromArgb(width, height, argb);
    }

    /** ARGB pixels, rows from the top, as a bitmap. */
    public static Bitmap of(int[] argb, int width, int height) {
        Bitmap bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888);
        bitmap.setPixels(argb, 0, width, 0, 0, width, height);
        return bitmap;
    }
}
