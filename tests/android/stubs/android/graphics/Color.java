package android.graphics;

/** Compile-only: what the app uses of the real one. */
public class Color {
    public static final int BLACK = 0xff000000;
    public static final int WHITE = 0xffffffff;
}
