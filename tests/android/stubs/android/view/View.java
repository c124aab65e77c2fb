package android.view;

/** Compile-only: what the app uses of the real one. */
public class View {
    public View(android.content.Context context) {}

    protected void onDraw(android.graphics.Canvas canvas) {}

    public void invalidate() {}

    public void setBackgroundColor(int color) {}

    public final int getWidth() {
        throw new UnsupportedOperationException("stub");
    }

    public final int getHeight() {
        throw new UnsupportedOperationException("stub");
    }

    public android.content.res.Resources getResources() {
        throw new UnsupportedOperationException("stub");
    }
}
