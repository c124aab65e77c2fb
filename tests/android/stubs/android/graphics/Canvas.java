package android.graphics;

/** Compile-only: what the app uses of the real one. */
public class Canvas {
    public Canvas(Bitmap bitmap) {}

    public int save() {
        throw new UnsupportedOperationException("stub");
    }

    public void restore() {}

    public void translate(float x, float y) {}

    public void scale(float x, float y) {}

    public void drawBitmap(Bitmap bitmap, Rect source, RectF target, Paint paint) {}

    public void drawLines(float[] points, Paint paint) {}

    public void drawLines(float[] points, int offset, int count, Paint paint) {}

    public void drawRect(float left, float top, float right, float bottom, Paint paint) {}

    public void drawText(String text, float x, float y, Paint paint) {}
}
