package android.graphics;

import java.awt.BasicStroke;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;

/** Draws on a picture, and counts what. */
public class Canvas {
    public int bitmaps;
    public int lines;
    public int rectangles;
    public int texts;
    public final BufferedImage image;

    private final Graphics2D graphics;
    private AffineTransform saved;

    public Canvas(Bitmap bitmap) {
        this(bitmap.image);
    }

    public Canvas(BufferedImage image) {
        this.image = image;
        graphics = image.createGraphics();
        graphics.setRenderingHint(
                RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    }

    public int save() {
        saved = graphics.getTransform();
        return 1;
    }

    public void restore() {
        graphics.setTransform(saved);
    }

    public void translate(float x, float y) {
        graphics.translate(x, y);
    }

    public void scale(float x, float y) {
        graphics.scale(x, y);
    }

    public void drawBitmap(Bitmap bitmap, Rect source, RectF target, Paint paint) {
        bitmaps++;
        graphics.drawImage(
                bitmap.image,
                (int) target.left,
                (int) target.top,
                (int) (target.right - target.left),
                (int) (target.bottom - target.top),
                null);
    }

    public void drawLines(float[] points, Paint paint) {
        drawLines(points, 0, points.length, paint);
    }

    public void drawLines(float[] points, int offset, int count, Paint paint) {
        use(paint);
        for (int at = offset; at < offset + count; at += 4) {
            lines++;
            graphics.draw(
                    new Line2D.Float(points[at], points[at + 1], points[at + 2], points[at + 3]));
        }
    }

    public void drawRect(float left, float top, float right, float bottom, Paint paint) {
        use(paint);
        rectangles++;
        graphics.draw(new Rectangle2D.Float(left, top, right - left, bottom - top));
    }

    public void drawText(String text, float x, float y, Paint paint) {
        use(paint);
        texts++;
        graphics.drawString(text, x, y);
    }

    private void use(Paint paint) {
        graphics.setColor(new java.awt.Color(paint.color));
        graphics.setStroke(new BasicStroke(paint.strokeWidth));
        graphics.setFont(graphics.getFont().deriveFont(paint.textSize));
    }
}
