package android.provider;

/** Compile-only: what the app uses of the real one. */
public interface OpenableColumns {
    String DISPLAY_NAME = "_display_name";
    String SIZE = "_size";
}
