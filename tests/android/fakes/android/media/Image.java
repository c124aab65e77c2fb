package android.media;

import android.graphics.Rect;
import java.nio.ByteBuffer;
import org.tfflow.fakes.Phone;

/** 320 x 256 with a picture of 300 x 240 inside: blobs that move right by 3 pixels each time. */
public class Image implements AutoCloseable {
    private static final int WIDTH = 320;
    private static final int HEIGHT = 256;
    private static final int MIDDLE = 80; // px to each side
    private static final int STRIPE = 4; // px

    private final int number;
    private boolean closed;

    public Image(int number) {
        this.number = number;
    }

    public final class Plane {
        private final int rows;

        Plane(int rows) {
            this.rows = rows;
        }

        public ByteBuffer getBuffer() {
            check();
            ByteBuffer bytes = ByteBuffer.allocateDirect(WIDTH * rows);
            for (int at = 0; at < bytes.capacity(); at++) {
                double x = at % WIDTH - (Phone.flickers ? 0 : 3.0 * number);
                double y = at / WIDTH;
                double light = 128 + 50 * Math.sin(x / 7 + y / 31) + 50 * Math.sin(y / 9 - x / 37);
                if (Phone.flickers && isInMiddle(at % WIDTH, at / WIDTH)) {
                    int across = number % 2 == 0 ? at % WIDTH : at / WIDTH;
                    light = across / STRIPE % 2 == 0 ? 0 : 255;
                }
                bytes.put(at, (byte) (rows == HEIGHT ? light : 128));
            }
            return bytes;
        }

        public int getRowStride() {
            return WIDTH;
        }

        public int getPixelStride() {
            return rows == HEIGHT ? 1 : 2;
        }
    }

    private static boolean isInMiddle(int x, int y) {
        return Math.abs(x - WIDTH / 2) < MIDDLE && Math.abs(y - HEIGHT / 2) < MIDDLE;
    }

    private void check() {
        if (closed) {
            throw new IllegalStateException("the image is closed");
        }
    }

    public int getFormat() {
        return 35;
    }

    public Rect getCropRect() {
        return new Rect(10, 8, 310, 248);
    }

    public int getWidth() {
        return WIDTH;
    }

    public int getHeight() {
        return HEIGHT;
    }

    public long getTimestamp() {
        return 33_000_000L * number;
    }

    public Plane[] getPlanes() {
        check();
        return new Plane[] {new Plane(HEIGHT), new Plane(HEIGHT / 2), new Plane(HEIGHT / 2)};
    }

    @Override
    public void close() {
        closed = true;
    }
}
