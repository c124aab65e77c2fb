package android.hardware.camera2;

/** Compile-only: what the app uses of the real one. */
public final class CaptureRequest {
    public static final class Builder {
        public void addTarget(android.view.Surface surface) {}

        public CaptureRequest build() {
            throw new UnsupportedOperationException("stub");
        }
    }
}
