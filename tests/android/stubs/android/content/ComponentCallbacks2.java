package android.content;

/** Compile-only: what the app uses of the real one. */
public interface ComponentCallbacks2 {
    int TRIM_MEMORY_BACKGROUND = 40;

    void onTrimMemory(int level);
}
