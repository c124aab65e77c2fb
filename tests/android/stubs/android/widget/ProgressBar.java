package android.widget;

/** Compile-only: what the app uses of the real one. */
public class ProgressBar extends android.view.View {
    public ProgressBar(android.content.Context context) {
        super(context);
    }

    public void setProgress(int progress) {}

    public int getProgress() {
        throw new UnsupportedOperationException("stub");
    }
}
