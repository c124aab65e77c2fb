package android.hardware.camera2;

import android.os.Handler;
import org.tfflow.fakes.Phone;

public final class CameraManager {
    public String[] getCameraIdList() throws CameraAccessException {
        return Phone.hasCamera ? new String[] {"0"} : new String[0];
    }

    public CameraCharacteristics getCameraCharacteristics(String id)
            throws CameraAccessException {
        return new CameraCharacteristics();
    }

    public void openCamera(String id, CameraDevice.StateCallback callback, Handler handler)
            throws CameraAccessException {
        if (Phone.cameraError != null) {
            throw Phone.cameraError;
        }
        handler.post(() -> callback.onOpened(new CameraDevice()));
    }
}
