package android.hardware.camera2;

/** Compile-only: what the app uses of the real one. */
public final class CameraManager {
    public String[] getCameraIdList() throws CameraAccessException {
        throw new UnsupportedOperationException("stub");
    }

    public CameraCharacteristics getCameraCharacteristics(String id)
            throws CameraAccessException {
        throw new UnsupportedOperationException("stub");
    }

    public void openCamera(
            String id, CameraDevice.StateCallback callback, android.os.Handler handler)
            throws CameraAccessException {}
}
