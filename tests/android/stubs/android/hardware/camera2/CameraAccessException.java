package android.hardware.camera2;

/** Compile-only: what the app uses of the real one. */
public class CameraAccessException extends Exception {
    private static final long serialVersionUID = 1L;
}
