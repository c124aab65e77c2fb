package android.graphics;

/** Compile-only: what the app uses of the real one. */
public class Canvas {
    public void drawBitmap(Bitmap bitmap, Rect source, RectF target, Paint paint) {}

    public void drawText(String text, float x, float y, Paint paint) {}
}
