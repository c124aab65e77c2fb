package org.tfflow.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class YuvImageTest {
    private final Golden y = Golden.read("yuv_y");
    private final Golden u = Golden.read("yuv_u");
    private final Golden v = Golden.read("yuv_v");

    /** A plane with padding between pixels and rows, of a value that would show. */
    private static YuvImage.Plane spread(Golden plane, int rowStride, int pixelStride, int start) {
        int last = (plane.height() - 1) * rowStride + (plane.width() - 1) * pixelStride + 1;
        ByteBuffer bytes = ByteBuffer.allocateDirect(start + last);
        while (bytes.hasRemaining()) {
            bytes.put((byte) 77);
        }
        for (int row = 0; row < plane.height(); row++) {
            for (int x = 0; x < plane.width(); x++) {
                bytes.put(
                        start + row * rowStride + x * pixelStride,
                        plane.bytes()[row * plane.width() + x]);
            }
        }
        bytes.position(start);
        return new YuvImage.Plane(bytes, rowStride, pixelStride);
    }

    private YuvImage planar() {
        return new YuvImage(
                13, 9, spread(y, 13, 1, 0), spread(u, 7, 1, 0), spread(v, 7, 1, 0));
    }

    @Test
    void coloursAreThoseOfPillow() {
        byte[] wanted = Golden.read("yuv_rgb").bytes();
        byte[] got = planar().toRgb().bytes();
        for (int i = 0; i < wanted.length; i++) {
            // Pillow rounds each product by itself: one level apart at most.
            assertEquals(wanted[i] & 0xff, got[i] & 0xff, 1, "at " + i);
        }
    }

    @Test
    void stridesDoNotMatter() {
        // As phones give it: rows padded to 16, U and V a byte apart in pairs, the end cut short.
        YuvImage camera =
                new YuvImage(
                        13, 9, spread(y, 16, 1, 3), spread(u, 16, 2, 0), spread(v, 16, 2, 1));
        assertArrayEquals(planar().toRgb().bytes(), camera.toRgb().bytes());
        assertArrayEquals(planar().toRgb().bytes(), camera.copy().toRgb().bytes());
    }

    @Test
    void copyDoesNotFollowTheCamera() {
        ByteBuffer grey = ByteBuffer.wrap(new byte[] {100});
        ByteBuffer none = ByteBuffer.wrap(new byte[] {(byte) 128});
        YuvImage image =
                new YuvImage(
                        1,
                        1,
                        new YuvImage.Plane(grey, 1, 1),
                        new YuvImage.Plane(none, 1, 1),
                        new YuvImage.Plane(none, 1, 1));
        YuvImage copy = image.copy();
        grey.put(0, (byte) 200);
        assertArrayEquals(new byte[] {100, 100, 100}, copy.toRgb().bytes());
        assertEquals(200, image.toRgb().get(0, 0, 1));
    }

    @Test
    void tooSmallAPlaneIsRefused() {
        Exception error =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                new YuvImage(
                                        13,
                                        9,
                                        spread(y, 13, 1, 0),
                                        spread(u, 7, 1, 0),
                                        new YuvImage.Plane(ByteBuffer.allocate(34), 7, 1)));
        assertTrue(error.getMessage().contains("needs 35 bytes; got 34"), error.getMessage());
    }
}
