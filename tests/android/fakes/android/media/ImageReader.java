package android.media;

import android.os.Handler;

/** Gives a new picture each time that it is asked to. */
public class ImageReader implements AutoCloseable {
    public interface OnImageAvailableListener {
        void onImageAvailable(ImageReader reader);
    }

    private static ImageReader newest;
    private OnImageAvailableListener listener;
    private int number;
    private boolean closed;

    public static ImageReader newInstance(int width, int height, int format, int maxImages) {
        newest = new ImageReader();
        return newest;
    }

    public void setOnImageAvailableListener(OnImageAvailableListener listener, Handler handler) {
        this.listener = listener;
    }

    /** Goes on until it is closed. */
    public static void shoot(Handler handler) {
        ImageReader reader = newest;
        handler.post(
                () -> {
                    if (!reader.closed) {
                        reader.listener.onImageAvailable(reader);
                        reader.shoot(handler);
                    }
                });
    }

    public Image acquireLatestImage() {
        if (closed) {
            throw new IllegalStateException("the reader is closed");
        }
        return number++ % 3 == 2 ? null : new Image(number);
    }

    public android.view.Surface getSurface() {
        return new android.view.Surface();
    }

    @Override
    public void close() {
        closed = true;
    }
}
