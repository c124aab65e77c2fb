package android.view;

/** Compile-only: what the app uses of the real one. */
public interface WindowManager {
    Display getDefaultDisplay();

    class LayoutParams {
        public static final int FLAG_KEEP_SCREEN_ON = 128;
    }
}
