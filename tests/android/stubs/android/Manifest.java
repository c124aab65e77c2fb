package android;

/** Compile-only: what the app uses of the real one. */
public final class Manifest {
    public static final class permission {
        public static final String CAMERA = "android.permission.CAMERA";
    }
}
