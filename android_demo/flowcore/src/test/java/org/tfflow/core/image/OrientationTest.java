package org.tfflow.core.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class OrientationTest {
    /** Pixels named by a digit: their red, with other green and blue that must come along. */
    private static RgbImage picture(String... rows) {
        RgbImage image = new RgbImage(rows[0].length(), rows.length);
        int i = 0;
        for (String row : rows) {
            for (char digit : row.toCharArray()) {
                image.bytes()[i++] = (byte) digit;
                image.bytes()[i++] = (byte) (digit + 100);
                image.bytes()[i++] = (byte) (digit + 200);
            }
        }
        return image;
    }

    private static void check(int degrees, boolean mirrored, String... wanted) {
        RgbImage turned = Orientation.of(degrees, mirrored).apply(picture("123", "456"));
        RgbImage image = picture(wanted);
        assertEquals(image.width(), turned.width());
        assertArrayEquals(image.bytes(), turned.bytes());
    }

    @Test
    void turnsClockwise() {
        check(90, false, "41", "52", "63");
        check(180, false, "654", "321");
        check(270, false, "36", "25", "14");
        check(-90, false, "36", "25", "14");
        check(450, false, "41", "52", "63");
    }

    @Test
    void mirrorsAfterTheTurn() {
        check(0, true, "321", "654");
        check(90, true, "14", "25", "36");
        check(180, true, "456", "123");
        check(270, true, "63", "52", "41");
    }

    @Test
    void nothingToDoCostsNothing() {
        RgbImage image = picture("12");
        assertSame(image, Orientation.of(360, false).apply(image));
        assertSame(image, Orientation.NONE.apply(image));
    }

    @Test
    void onePixelWide() {
        RgbImage column = Orientation.of(90, true).apply(picture("123"));
        assertEquals(1, column.width());
        assertArrayEquals(picture("1", "2", "3").bytes(), column.bytes());
    }

    @Test
    void onlyQuarterTurns() {
        assertThrows(IllegalArgumentException.class, () -> Orientation.of(45, false));
    }
}
