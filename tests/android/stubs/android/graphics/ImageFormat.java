package android.graphics;

/** Compile-only: what the app uses of the real one. */
public class ImageFormat {
    public static final int YUV_420_888 = 35;
}
