package android.view;

import android.content.Context;

public class View {
    public interface OnClickListener {
        void onClick(View view);
    }

    private final Context context;
    private OnClickListener listener;
    public boolean enabled = true;
    public int width;
    public int height;
    public volatile android.graphics.Canvas drawn;

    public View(Context context) {
        this.context = context;
    }

    public View(Context context, android.util.AttributeSet attributes) {
        this(context);
    }

    protected void onDraw(android.graphics.Canvas canvas) {}

    /** Draws at once, as Android does soon. */
    public void invalidate() {
        android.graphics.Canvas canvas =
                new android.graphics.Canvas(
                        new java.awt.image.BufferedImage(
                                width, height, java.awt.image.BufferedImage.TYPE_INT_RGB));
        onDraw(canvas);
        drawn = canvas;
    }

    public void setEnabled(boolean enabled) {
        this.enabled = enabled;
    }

    public void setOnClickListener(OnClickListener listener) {
        this.listener = listener;
    }

    public void press() {
        if (enabled) {
            listener.onClick(this);
        }
    }

    public final int getWidth() {
        return width;
    }

    public final int getHeight() {
        return height;
    }

    public android.content.res.Resources getResources() {
        return context.getResources();
    }
}
