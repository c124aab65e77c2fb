package android.view;

import android.content.Context;

public class View {
    public interface OnClickListener {
        void onClick(View view);
    }

    private final Context context;
    private OnClickListener listener;
    public boolean enabled = true;
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
        android.graphics.Canvas canvas = new android.graphics.Canvas();
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
        return 360;
    }

    public final int getHeight() {
        return 640;
    }

    public android.content.res.Resources getResources() {
        return context.getResources();
    }
}
