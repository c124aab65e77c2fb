package android.media;

/** Compile-only: what the app uses of the real one. */
public final class MediaCodecInfo {
    public static final class CodecCapabilities {
        public static final int COLOR_FormatYUV420Flexible = 2135033992;
    }
}
