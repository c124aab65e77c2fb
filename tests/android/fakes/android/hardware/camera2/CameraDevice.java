package android.hardware.camera2;

import android.os.Handler;
import android.view.Surface;
import java.util.List;

public class CameraDevice implements AutoCloseable {
    public static final int TEMPLATE_PREVIEW = 1;

    public abstract static class StateCallback {
        public abstract void onOpened(CameraDevice device);

        public abstract void onDisconnected(CameraDevice device);

        public abstract void onError(CameraDevice device, int error);
    }

    public void createCaptureSession(
            List<Surface> outputs, CameraCaptureSession.StateCallback callback, Handler handler)
            throws CameraAccessException {
        handler.post(() -> callback.onConfigured(new CameraCaptureSession()));
    }

    public CaptureRequest.Builder createCaptureRequest(int template)
            throws CameraAccessException {
        return new CaptureRequest.Builder();
    }

    @Override
    public void close() {}
}
