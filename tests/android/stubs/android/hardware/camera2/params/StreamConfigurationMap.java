package android.hardware.camera2.params;

/** Compile-only: what the app uses of the real one. */
public final class StreamConfigurationMap {
    public android.util.Size[] getOutputSizes(int format) {
        throw new UnsupportedOperationException("stub");
    }
}
