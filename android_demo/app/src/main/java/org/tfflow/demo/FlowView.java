package org.tfflow.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import android.graphics.RectF;
import android.view.View;
import org.tfflow.core.Overlay;

/** The frame, the flow's colours over it, and a few lines of text. */
final class FlowView extends View {
    private static final float TEXT_DP = 14;

    private final Paint smooth = new Paint(Paint.FILTER_BITMAP_FLAG);
    private final Paint text = new Paint(Paint.ANTI_ALIAS_FLAG);
    private Bitmap frame;
    private Bitmap colors;
    private String[] lines = {};

    FlowView(Context context) {
        super(context);
        setBackgroundColor(Color.BLACK);
        text.setColor(Color.WHITE);
        text.setTextSize(TEXT_DP * getResources().getDisplayMetrics().density);
        text.setShadowLayer(4, 0, 0, Color.BLACK);
    }

    /** Shows this from the next drawing on; on the main thread. */
    void show(Overlay overlay) {
        frame =
                filled(
                        frame,
                        overlay.image().width(),
                        overlay.image().height(),
                        overlay.image().toArgb());
        colors = filled(colors, overlay.width(), overlay.height(), overlay.argb());
        invalidate();
    }

    /** Shows these lines, from the top. */
    void showText(String newText) {
        lines = newText.split("\n");
        invalidate();
    }

    private static Bitmap filled(Bitmap old, int width, int height, int[] argb) {
        boolean fits = old != null && old.getWidth() == width && old.getHeight() == height;
        Bitmap bitmap =
                fits ? old : Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888);
        bitmap.setPixels(argb, 0, width, 0, 0, width, height);
        return bitmap;
    }

    @Override
    protected void onDraw(Canvas canvas) {
        super.onDraw(canvas);
        if (frame != null) {
            float scale =
                    Math.min(
                            (float) getWidth() / frame.getWidth(),
                            (float) getHeight() / frame.getHeight());
            float left = (getWidth() - scale * frame.getWidth()) / 2;
            float top = (getHeight() - scale * frame.getHeight()) / 2;
            RectF place =
                    new RectF(
                            left,
                            top,
                            left + scale * frame.getWidth(),
                            top + scale * frame.getHeight());
            canvas.drawBitmap(frame, null, place, smooth);
            canvas.drawBitmap(colors, null, place, smooth);
        }
        float y = 3 * text.getTextSize();
        for (String line : lines) {
            canvas.drawText(line, text.getTextSize(), y, text);
            y += 1.4f * text.getTextSize();
        }
    }
}
