package android.graphics;

/** Compile-only: what the app uses of the real one. */
public class Paint {
    public enum Style {
        STROKE
    }

    public static final int ANTI_ALIAS_FLAG = 1;
    public static final int FILTER_BITMAP_FLAG = 2;

    public Paint(int flags) {}

    public void setColor(int color) {}

    public void setStyle(Style style) {}

    public void setStrokeWidth(float width) {}

    public void setTextSize(float size) {}

    public void setShadowLayer(float radius, float dx, float dy, int color) {}
}
