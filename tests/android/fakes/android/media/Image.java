package android.media;

import android.graphics.Rect;
import java.nio.ByteBuffer;

/** 64 x 48 with a picture of 60 x 40 inside; its brightness says which one it is. */
public class Image implements AutoCloseable {
    private static final int WIDTH = 64;
    private static final int HEIGHT = 48;

    private final int number;
    private boolean closed;

    public Image(int number) {
        this.number = number;
    }

    public final class Plane {
        private final int rows;
        private final int value;

        Plane(int rows, int value) {
            this.rows = rows;
            this.value = value;
        }

        public ByteBuffer getBuffer() {
            check();
            ByteBuffer bytes = ByteBuffer.allocateDirect(WIDTH * rows);
            while (bytes.hasRemaining()) {
                bytes.put((byte) value);
            }
            bytes.rewind();
            return bytes;
        }

        public int getRowStride() {
            return WIDTH;
        }

        public int getPixelStride() {
            return rows == HEIGHT ? 1 : 2;
        }
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
        return new Rect(2, 4, 62, 44);
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
        return new Plane[] {
            new Plane(HEIGHT, 50 + 10 * (number % 10)),
            new Plane(HEIGHT / 2, 128),
            new Plane(HEIGHT / 2, 128)
        };
    }

    @Override
    public void close() {
        closed = true;
    }
}
