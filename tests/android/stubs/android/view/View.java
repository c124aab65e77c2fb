package android.view;

/** Compile-only: what the app uses of the real one. */
public class View {
    public interface OnClickListener {
        void onClick(View view);
    }

    public View(android.content.Context context) {}

    public View(android.content.Context context, android.util.AttributeSet attributes) {}

    protected void onDraw(android.graphics.Canvas canvas) {}

    public void invalidate() {}

    public void setEnabled(boolean enabled) {}

    public void setOnClickListener(OnClickListener listener) {}

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
