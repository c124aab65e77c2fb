package android.graphics;

public final class Bitmap {
    public enum Config {
        ARGB_8888
    }

    final java.awt.image.BufferedImage image;

    Bitmap(java.awt.image.BufferedImage image) {
        this.image = image;
    }

    public static Bitmap createBitmap(int width, int height, Config config) {
        return new Bitmap(new java.awt.image.BufferedImage(width, height, 2));
    }

    public int getWidth() {
        return image.getWidth();
    }

    public int getHeight() {
        return image.getHeight();
    }

    public void getPixels(
            int[] pixels, int offset, int stride, int x, int y, int width, int height) {
        image.getRGB(x, y, width, height, pixels, offset, stride);
    }

    public void setPixels(
            int[] pixels, int offset, int stride, int x, int y, int width, int height) {
        image.setRGB(x, y, width, height, pixels, offset, stride);
    }
}
