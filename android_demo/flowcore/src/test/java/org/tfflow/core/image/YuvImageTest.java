package org.tfflow.core.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.tfflow.core.Golden;

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

    @Test
    void aPartIsThatPartOfTheWhole() {
        YuvImage padded =
                new YuvImage(
                        13, 9, spread(y, 16, 1, 3), spread(u, 16, 2, 0), spread(v, 16, 2, 1));
        RgbImage whole = padded.toRgb();
        RgbImage part = padded.crop(2, 4, 10, 5).copy().toRgb();
        assertEquals(10, part.width());
        for (int row = 0; row < 5; row++) {
            for (int x = 0; x < 10; x++) {
                for (int c = 0; c < 3; c++) {
                    assertEquals(whole.get(x + 2, row + 4, c), part.get(x, row, c));
                }
            }
        }
        YuvImage odd = padded.crop(3, 5, 9, 4); // from (2, 4) on
        assertArrayEquals(part.bytes(), odd.toRgb().bytes());
        assertThrows(IllegalArgumentException.class, () -> padded.crop(2, 4, 12, 5));
        assertThrows(IllegalArgumentException.class, () -> padded.crop(-1, 0, 5, 5));
    }

    @Test
    void largePicturesShrink() {
        YuvImage picture = planar(); // 13 x 9
        assertSame(picture, picture.within(13));
        YuvImage small = picture.within(12);
        assertEquals(6, small.width());
        assertEquals(4, small.height());
        assertEquals(4, picture.within(6).width()); // of 3 x 3
        byte[] y = this.y.bytes();
        byte[] u = this.u.bytes();
        byte[] v = this.v.bytes();
        // The last pixel: (10, 6) to (11, 7) of Y, (4, 2) to (5, 3) of U and V, which are 7 wide.
        byte[] wanted = new byte[3];
        YuvColors.CAMERA.convert(
                mean(y, 13, 10, 6), mean(u, 7, 4, 2), mean(v, 7, 4, 2), wanted, 0);
        RgbImage rgb = small.toRgb();
        for (int c = 0; c < 3; c++) {
            assertEquals(wanted[c] & 0xff, rgb.get(5, 3, c));
        }
    }

    private static byte[] mean(byte[] plane, int width, int x, int y) {
        int sum = 2;
        for (int i = 0; i < 4; i++) {
            sum += plane[(y + i / 2) * width + x + i % 2] & 0xff;
        }
        return new byte[] {(byte) (sum / 4)};
    }

    private static int[] pixel(YuvColors colors, int y, int u, int v) {
        byte[] rgb = new byte[3];
        colors.convert(
                new byte[] {(byte) y}, new byte[] {(byte) u}, new byte[] {(byte) v}, rgb, 0);
        return new int[] {rgb[0] & 0xff, rgb[1] & 0xff, rgb[2] & 0xff};
    }

    @Test
    void videosUseLessThanAllOfAByte() {
        YuvColors sd = YuvColors.ofVideo(0, 0, 480);
        assertArrayEquals(new int[] {0, 0, 0}, pixel(sd, 16, 128, 128));
        assertArrayEquals(new int[] {255, 255, 255}, pixel(sd, 235, 128, 128));
        assertArrayEquals(new int[] {255, 255, 255}, pixel(sd, 255, 128, 128));
        YuvColors full = YuvColors.ofVideo(2, 1, 480);
        assertArrayEquals(new int[] {16, 16, 16}, pixel(full, 16, 128, 128));
    }

    @Test
    void pureColoursOfEachStandard() {
        // Bars at 75 %: the codes that ITU-R BT.601 and BT.709 give for red, green and blue.
        YuvColors sd = YuvColors.ofVideo(4, 2, 1080); // what the file says counts, not its size
        assertNear(new int[] {191, 0, 0}, pixel(sd, 65, 100, 212));
        assertNear(new int[] {0, 191, 0}, pixel(sd, 112, 72, 58));
        assertNear(new int[] {0, 0, 191}, pixel(sd, 35, 212, 114));
        YuvColors hd = YuvColors.ofVideo(0, 0, 720);
        assertNear(new int[] {191, 0, 0}, pixel(hd, 51, 109, 212));
        assertNear(new int[] {0, 191, 0}, pixel(hd, 133, 63, 52));
        assertNear(new int[] {0, 0, 191}, pixel(hd, 28, 212, 120));
    }

    private static void assertNear(int[] wanted, int[] got) {
        for (int c = 0; c < 3; c++) { // codes are whole numbers: the colours are not exact
            assertEquals(wanted[c], got[c], 2, "channel " + c);
        }
    }
}
