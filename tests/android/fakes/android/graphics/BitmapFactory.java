package android.graphics;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;

public class BitmapFactory {
    public static Bitmap decodeByteArray(byte[] data, int offset, int length) {
        try {
            java.awt.image.BufferedImage image = ImageIO.read(new ByteArrayInputStream(data));
            return image == null ? null : new Bitmap(image);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
