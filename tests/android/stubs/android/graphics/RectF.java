package android.graphics;

/** Compile-only: what the app uses of the real one. */
public class RectF {
    public RectF() {}

    public void set(float left, float top, float right, float bottom) {}
}
