package android.hardware.camera2;

/** Compile-only: what the app uses of the real one. */
public abstract class CameraCaptureSession implements AutoCloseable {
    public abstract static class CaptureCallback {}

    public abstract static class StateCallback {
        public abstract void onConfigured(CameraCaptureSession session);

        public abstract void onConfigureFailed(CameraCaptureSession session);
    }

    public abstract int setRepeatingRequest(
            CaptureRequest request, CaptureCallback callback, android.os.Handler handler)
            throws CameraAccessException;

    @Override
    public abstract void close();
}
