package android.hardware.camera2;

/** Compile-only: what the app uses of the real one. */
public abstract class CameraDevice implements AutoCloseable {
    public static final int TEMPLATE_PREVIEW = 1;

    public abstract static class StateCallback {
        public abstract void onOpened(CameraDevice device);

        public abstract void onDisconnected(CameraDevice device);

        public abstract void onError(CameraDevice device, int error);
    }

    public abstract void createCaptureSession(
            java.util.List<android.view.Surface> outputs,
            CameraCaptureSession.StateCallback callback,
            android.os.Handler handler)
            throws CameraAccessException;

    public abstract CaptureRequest.Builder createCaptureRequest(int template)
            throws CameraAccessException;

    @Override
    public abstract void close();
}
