package org.tfflow.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import android.graphics.RectF;
import android.util.AttributeSet;
import android.view.View;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.detection.Box;
import org.tfflow.core.image.Arrows;
import org.tfflow.core.pipeline.Overlay;

/** A frame, and over it the flow's colours, its arrows or the objects found. */
public final class FlowView extends View {
    private static final float TEXT_DP = 14;
    private static final float LINE_DP = 2;
    private static final int KEY_COLOR = 0xffffb300;
    private static final int BETWEEN_COLOR = 0xff4dd0e1;

    private final Paint smooth = new Paint(Paint.FILTER_BITMAP_FLAG);
    private final Paint line = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint text = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final RectF place = new RectF();
    private final float density;
    private @Nullable Overlay overlay;
    private @Nullable Bitmap frame;
    private @Nullable Bitmap colors;
    private @Nullable List<String> classes;

    /** As a layout makes it. */
    public FlowView(Context context, AttributeSet attributes) {
        super(context, attributes);
        density = getResources().getDisplayMetrics().density;
        line.setStyle(Paint.Style.STROKE);
        text.setTextSize(TEXT_DP * density);
        text.setShadowLayer(4, 0, 0, Color.BLACK);
    }

    /** What a box's label means; null if nobody knows. */
    void setClasses(@Nullable List<String> names) {
        classes = names;
    }

    /** Shows this from the next drawing on; on the main thread. */
    void show(Overlay newest) {
        overlay = newest;
        int[] argb = newest.image().toArgb();
        frame = filled(frame, newest.image().width(), newest.image().height(), argb);
        if (newest.argb().length > 0) {
            colors = filled(colors, newest.width(), newest.height(), newest.argb());
        }
        invalidate();
    }

    /** What is shown now, as a picture; null if nothing is. */
    @Nullable Bitmap picture() {
        if (overlay == null || getWidth() == 0 || getHeight() == 0) {
            return null;
        }
        Bitmap picture =
                Bitmap.createBitmap(getWidth(), getHeight(), Bitmap.Config.ARGB_8888);
        onDraw(new Canvas(picture));
        return picture;
    }

    private static Bitmap filled(@Nullable Bitmap old, int width, int height, int[] argb) {
        boolean fits = old != null && old.getWidth() == width && old.getHeight() == height;
        Bitmap bitmap =
                fits ? old : Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888);
        bitmap.setPixels(argb, 0, width, 0, 0, width, height);
        return bitmap;
    }

    @Override
    protected void onDraw(Canvas canvas) {
        super.onDraw(canvas);
        if (overlay == null) {
            return;
        }
        float scale =
                Math.min(
                        (float) getWidth() / frame.getWidth(),
                        (float) getHeight() / frame.getHeight());
        float width = scale * frame.getWidth();
        float height = scale * frame.getHeight();
        float left = (getWidth() - width) / 2;
        float top = (getHeight() - height) / 2;
        place.set(left, top, left + width, top + height);
        canvas.drawBitmap(frame, null, place, smooth);
        if (overlay.argb().length > 0) {
            canvas.drawBitmap(colors, null, place, smooth);
        }
        canvas.save();
        canvas.translate(left, top);
        canvas.scale(width / overlay.width(), height / overlay.height());
        float onePixel = density * overlay.width() / width; // a dp of the screen
        drawArrows(canvas, overlay.arrows(), onePixel);
        drawBoxes(canvas, onePixel);
        canvas.restore();
    }

    private void drawArrows(Canvas canvas, Arrows arrows, float dp) {
        line.setColor(Color.BLACK);
        line.setStrokeWidth(2 * LINE_DP * dp);
        canvas.drawLines(arrows.lines(), line); // dark below: they stand out on any picture
        line.setStrokeWidth(LINE_DP * dp);
        for (int i = 0; i < arrows.count(); i++) {
            line.setColor(arrows.colors()[i]);
            canvas.drawLines(arrows.lines(), Arrows.NUMBERS * i, Arrows.NUMBERS, line);
        }
    }

    private void drawBoxes(Canvas canvas, float dp) {
        int color = overlay.isKey() ? KEY_COLOR : BETWEEN_COLOR;
        line.setColor(color);
        line.setStrokeWidth(LINE_DP * dp);
        text.setColor(color);
        text.setTextSize(TEXT_DP * dp);
        for (Box box : overlay.boxes()) {
            canvas.drawRect(box.left(), box.top(), box.right(), box.bottom(), line);
            boolean known = classes != null && box.label() < classes.size();
            String name = known ? classes.get(box.label()) : "class " + box.label();
            String label = name + " " + Math.round(100 * box.score()) + " %";
            canvas.drawText(label, box.left(), box.top() - 3 * dp, text);
        }
    }
}
