package android.content;

/** Compile-only: what the app uses of the real one. */
public class ClipboardManager {
    public void setPrimaryClip(ClipData clip) {}
}
