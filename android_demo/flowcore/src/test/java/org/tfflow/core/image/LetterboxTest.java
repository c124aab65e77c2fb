package org.tfflow.core.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.tfflow.core.Golden;

class LetterboxTest {
    private static float[] stretched(String golden) {
        Golden image = Golden.read("image");
        Golden wanted = Golden.read(golden);
        float[] values = new float[wanted.floats().length];
        Letterbox.stretch(image.width(), image.height(), wanted.width(), wanted.height())
                .apply(image.image(), values);
        return values;
    }

    @Test
    void resizesAsTfflow() {
        for (String name : new String[] {"image_up", "image_down", "image_wide"}) {
            assertArrayEquals(Golden.read(name).floats(), stretched(name), 1e-6f, name);
        }
    }

    @Test
    void barsAreBlackAndTheMiddleIsTheResizedPicture() {
        // 23 x 19 into 60 x 38: twice as large, 46 wide, seven columns of bar on each side.
        RgbImage image = Golden.read("image").image();
        Letterbox letterbox = Letterbox.fit(23, 19, 60, 38);
        assertEquals(7, letterbox.left());
        assertEquals(0, letterbox.top());
        assertEquals(46, letterbox.innerWidth());
        assertEquals(38, letterbox.innerHeight());
        float[] values = new float[3 * 60 * 38];
        Arrays.fill(values, 9);
        letterbox.apply(image, values);
        float[] inner = new float[3 * 46 * 38];
        Letterbox.stretch(23, 19, 46, 38).apply(image, inner);
        for (int y = 0; y < 38; y++) {
            for (int x = 0; x < 60; x++) {
                boolean bar = x < 7 || x >= 53;
                float wanted = bar ? 0 : inner[3 * (46 * y + x - 7) + 1];
                assertEquals(wanted, values[3 * (60 * y + x) + 1], x + ", " + y);
            }
        }
    }

    @Test
    void barsAreHalfOnEachSide() {
        Letterbox letterbox = Letterbox.fit(640, 480, 512, 288);
        assertEquals(384, letterbox.innerWidth());
        assertEquals(64, letterbox.left());
    }

    @Test
    void flowComesBackWithoutBarsInPixelsOfTheView() {
        // A square in a 4 x 2 network: one column of bar on each side, with flow that must go.
        float[] uv = new float[2 * 4 * 2];
        Arrays.fill(uv, 99);
        for (int y = 0; y < 2; y++) {
            for (int x = 1; x < 3; x++) {
                uv[2 * (4 * y + x)] = 1;
                uv[2 * (4 * y + x) + 1] = -2;
            }
        }
        FlowField flow = Letterbox.fit(8, 8, 4, 2).restore(new FlowField(4, 2, uv), 6, 8);
        assertEquals(6, flow.width());
        assertEquals(8, flow.height());
        for (int y = 0; y < 8; y++) {
            for (int x = 0; x < 6; x++) {
                assertEquals(3, flow.u(x, y)); // three times as wide
                assertEquals(-8, flow.v(x, y)); // four times as high
            }
        }
    }

    @Test
    void anotherSizeIsRefused() {
        Letterbox letterbox = Letterbox.stretch(4, 4, 8, 8);
        assertThrows(
                IllegalArgumentException.class,
                () -> letterbox.apply(new RgbImage(4, 5), new float[192]));
        assertThrows(
                IllegalArgumentException.class,
                () -> letterbox.apply(new RgbImage(4, 4), new float[191]));
        assertThrows(IllegalArgumentException.class, () -> Letterbox.fit(0, 4, 8, 8));
    }

    @Test
    void mapsOfAnyOtherSizeAreRestoredAsTfflow() {
        Golden given = Golden.read("confidence"); // 8 x 6
        Golden wanted = Golden.read("confidence_up"); // 19 x 15
        float[] restored =
                Letterbox.stretch(100, 100, 32, 24)
                        .restoreMap(
                                given.floats(),
                                given.width(),
                                given.height(),
                                wanted.width(),
                                wanted.height());
        assertArrayEquals(wanted.floats(), restored, 1e-6f);
    }

    @Test
    void barsAreNoPartOfAMap() {
        // A picture of 20 x 10 in 8 x 8 has bars of 2 rows: of 4 x 4, half a row more than none.
        float[] map = {9, 9, 9, 9, 0, 1, 2, 3, 0, 1, 2, 3, 9, 9, 9, 9};
        float[] restored = Letterbox.fit(20, 10, 8, 8).restoreMap(map, 4, 4, 4, 2);
        assertArrayEquals(new float[] {0, 1, 2, 3, 0, 1, 2, 3}, restored, 1e-6f);
        // The part's outermost pixels are repeated, as at the edges of a whole map.
        float[] ramp = {0, 1, 2, 3};
        restored = Letterbox.fit(5, 10, 8, 8).restoreMap(ramp, 4, 1, 4, 1);
        assertArrayEquals(new float[] {1, 1.25f, 1.75f, 2}, restored, 1e-6f);
        // Its edge lies within a pixel: that one counts whose centre is inside.
        float[] bars = {0, 5, 5, 0};
        restored = Letterbox.fit(10, 16, 16, 16).restoreMap(bars, 4, 1, 5, 1);
        assertArrayEquals(new float[] {5, 5, 5, 5, 5}, restored, 1e-6f);
    }
}
