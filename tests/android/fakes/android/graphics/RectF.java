package android.graphics;

public class RectF {
    float left;
    float top;
    float right;
    float bottom;

    public void set(float left, float top, float right, float bottom) {
        this.left = left;
        this.top = top;
        this.right = right;
        this.bottom = bottom;
    }
}
