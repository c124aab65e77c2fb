package android.view;

/** Compile-only: what the app uses of the real one. */
public interface WindowManager {
    Display getDefaultDisplay();
}
