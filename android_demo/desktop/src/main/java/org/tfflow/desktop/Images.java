package org.tfflow.desktop;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.tfflow.core.image.RgbImage;

/** Pictures in files. */
final class Images {
    private Images() {}

    /** A PNG or JPEG file as RGB. */
    static RgbImage read(Path file) {
        try {
            BufferedImage image = ImageIO.read(file.toFile());
            if (image == null) {
                throw new IllegalArgumentException(file + " is no picture that Java can read");
            }
            int width = image.getWidth();
            int height = image.getHeight();
            return RgbImage.fromArgb(
                    width, height, image.getRGB(0, 0, width, height, null, 0, width));
        } catch (IOException error) {
            throw new UncheckedIOException("can't read " + file, error);
        }
    }

    /** Writes ARGB pixels as a PNG file. */
    static void write(Path file, int width, int height, int[] argb) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, width, height, argb, 0, width);
        try {
            ImageIO.write(image, "png", file.toFile());
        } catch (IOException error) {
            throw new UncheckedIOException("can't write " + file, error);
        }
    }
}
