package android.view;

import android.content.Context;

public class View {
    public interface OnClickListener {
        void onClick(View view);
    }

    private final Context context;
    private OnClickListener listener;
    public boolean enabled = true;

    public View(Context context) {
        this.context = context;
    }

    public View(Context context, android.util.AttributeSet attributes) {
        this(context);
    }

    protected void onDraw(android.graphics.Canvas canvas) {}

    public void invalidate() {}

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
        return 100;
    }

    public final int getHeight() {
        return 100;
    }

    public android.content.res.Resources getResources() {
        return context.getResources();
    }
}
