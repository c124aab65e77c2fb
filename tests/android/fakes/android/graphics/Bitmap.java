package android.graphics;

import org.tfflow.fakes.Phone;

public final class Bitmap {
    public enum Config {
        ARGB_8888,
        HARDWARE
    }

    public enum CompressFormat {
        PNG
    }

    final java.awt.image.BufferedImage image;
    private final Config config;

    Bitmap(java.awt.image.BufferedImage image) {
        this(image, Config.ARGB_8888);
    }

    private Bitmap(java.awt.image.BufferedImage image, Config config) {
        this.image = image;
        this.config = config;
    }

    public static Bitmap createBitmap(int width, int height, Config config) {
        return new Bitmap(new java.awt.image.BufferedImage(width, height, 2), config);
    }

    public Config getConfig() {
        return config;
    }

    public Bitmap copy(Config config, boolean isMutable) {
        Bitmap copy = createBitmap(getWidth(), getHeight(), config);
        image.copyData(copy.image.getRaster());
        return copy;
    }

    public boolean compress(
            CompressFormat format, int quality, java.io.OutputStream stream) {
        if (Phone.full) {
            return false; // as Android says it, without an exception
        }
        try {
            return javax.imageio.ImageIO.write(image, "png", stream);
        } catch (java.io.IOException error) {
            return false;
        }
    }

    public int getWidth() {
        return image.getWidth();
    }

    public int getHeight() {
        return image.getHeight();
    }

    public void getPixels(
            int[] pixels, int offset, int stride, int x, int y, int width, int height) {
        if (config == Config.HARDWARE) {
            throw new IllegalStateException("unable to getPixels()");
        }
        image.getRGB(x, y, width, height, pixels, offset, stride);
    }

    public void setPixels(
            int[] pixels, int offset, int stride, int x, int y, int width, int height) {
        image.setRGB(x, y, width, height, pixels, offset, stride);
    }
}
