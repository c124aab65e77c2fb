package android.graphics;

public class Paint {
    public enum Style {
        STROKE
    }

    public static final int ANTI_ALIAS_FLAG = 1;
    public static final int FILTER_BITMAP_FLAG = 2;

    int color;
    float strokeWidth;
    float textSize = 12;

    public Paint(int flags) {}

    public void setColor(int color) {
        this.color = color;
    }

    public void setStyle(Style style) {}

    public void setStrokeWidth(float width) {
        strokeWidth = width;
    }

    public void setTextSize(float size) {
        textSize = size;
    }

    public void setShadowLayer(float radius, float dx, float dy, int color) {}
}
