package android.hardware.camera2;

import android.os.Handler;

public class CameraCaptureSession implements AutoCloseable {
    public abstract static class CaptureCallback {}

    public abstract static class StateCallback {
        public abstract void onConfigured(CameraCaptureSession session);

        public abstract void onConfigureFailed(CameraCaptureSession session);
    }

    public int setRepeatingRequest(
            CaptureRequest request, CaptureCallback callback, Handler handler)
            throws CameraAccessException {
        android.media.ImageReader.shoot(handler);
        return 0;
    }

    @Override
    public void close() {}
}
